import { MAX_ITEM_BYTES } from './limits.ts';
import { ProtocolError } from './protocol-error.ts';

const HTTP = /^https?:\/\//i;
// Paths that the rules leave as they are; most are, and asking the parser costs as much as all the rest.
const PLAIN_PATH = /^(?:\/[A-Za-z0-9_~-]+)+\/?$/;
// Half of a pair, which UTF-8 cannot write: all halves would be one item, and the reply would name another one.
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether an item is a path or a web address, and thus a page. */
export function isPageItem(item: string): boolean {
  return item.startsWith('/') || HTTP.test(item);
}

/** Normalizes an item: a path or http(s) URL is reduced to its path by the WHATWG URL rules (no query, no
 *  fragment, dots resolved), anything else is taken verbatim. `//a/b` is a path here, as it is in a request line, and
 *  not an address without a scheme.
 *  @throws ProtocolError `bad-payload` for an empty item, an invalid URL or a lone surrogate, `too-large` above 2,048
 *  bytes. */
export function normalizeItem(item: string): string {
  if (item === '') throw new ProtocolError('bad-payload', 'An item is empty: give a path, a URL or a name.');
  let normal = item;
  if (PLAIN_PATH.test(item)) normal = item;
  else if (item.startsWith('/')) normal = new URL(`http://h${item}`).pathname;
  else if (HTTP.test(item)) {
    if (!URL.canParse(item)) throw new ProtocolError('bad-payload', `${excerpt(item)} is not a valid URL.`);
    normal = new URL(item).pathname;
  } else if (LONE_SURROGATE.test(item)) {
    throw new ProtocolError('bad-payload', `The item ${excerpt(item)} has half of a character (a lone surrogate).`);
  }
  if (Buffer.byteLength(normal) > MAX_ITEM_BYTES) {
    throw new ProtocolError('too-large', `The item ${excerpt(item)} is longer than ${MAX_ITEM_BYTES} bytes.`);
  }
  return normal;
}

/** A value as it may stand in an error's message: quoted, short. */
export function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
