/** The largest payload, in bytes of UTF-8. */
export const MAX_PAYLOAD_BYTES: number = 64 * 1024;
/** The most items in one payload. */
export const MAX_ITEMS = 1000;
/** The most parts of `together`. */
export const MAX_PARTS = 16;
/** The largest item, in bytes of UTF-8, after a URL was reduced to its path. */
export const MAX_ITEM_BYTES = 2048;
/** The largest answer, in characters of JSON. Redis cuts a subscriber for which 32 MB wait, and all pages of its process
 *  with it. */
export const MAX_REPLY_CHARACTERS: number = 8 * 1024 * 1024;
