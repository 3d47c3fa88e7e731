import { MAX_PAYLOAD_BYTES } from '../../protocol/index.ts';

/* entry-size.ts: how large an entry may be. A producer may write entries of hundreds of megabytes; of a too large one only
 * its short fields and its size leave Redis. */

/** The largest entry that is served, in bytes of its fields: a payload of the greatest length, sealed, with room. */
export const MAX_ENTRY_BYTES: number = 128 * 1024;
/** The reason of a dead letter above that. */
export const TOO_LARGE: string = `It is too large: a payload may have ${MAX_PAYLOAD_BYTES} bytes`;
/** Of a too large entry only so many fields and values are looked at. */
export const MOST_SHORT_FIELDS = 20;
/** The longest value that is read of a too large entry. */
export const SHORT_FIELD_BYTES = 256;

/** An entry as it was read: its id and its fields, flat; of a too large one its short fields, its size, and 1 where it was
 *  added to the dead letters in the same step. */
export type RawEntry = readonly [id: string, fields: readonly string[], bytes?: number, isDeadLettered?: 0 | 1];

/** Reduces a too large entry to its short fields (command, session, request, deadline) and its size. */
export function shorten([id, fields]: RawEntry, bytes: number): RawEntry {
  const short: string[] = [];
  for (let i = 0; i + 1 < Math.min(fields.length, MOST_SHORT_FIELDS); i += 2) {
    const [name, value] = [fields[i]!, fields[i + 1]!];
    if ('csrdo'.includes(name) && name.length === 1 && value.length <= SHORT_FIELD_BYTES) short.push(name, value);
  }
  return [id, short, bytes];
}

/** Measures an entry's fields in bytes, about: in UTF-16 units. */
export function sizeOf([, fields, bytes]: RawEntry): number {
  if (bytes !== undefined) return bytes;
  let size = 0;
  for (const text of fields) size += text.length;
  return size;
}
