import { excerpt, normalizeItem } from './item.ts';
import { MAX_ITEMS, MAX_PAYLOAD_BYTES } from './limits.ts';
import { ProtocolError } from './protocol-error.ts';

/* payload.ts: what may stand in a payload. The service checks by it what it is sent, and the client what it sends: what
 * cannot be served is refused before it leaves the process. */

/** Whether a value is an object of JSON, and no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// The last second that 32 bits hold, in 2106: records hold seconds.
const LAST_TIME = 2 ** 32 * 1_000 - 1;

/** Checks that a payload is not larger than 64 KiB.
 *  @throws ProtocolError `too-large`. */
export function checkPayloadSize(payload: string): void {
  // A UTF-16 unit takes one to three bytes of UTF-8: most payloads need no count.
  const { length } = payload;
  if (length <= MAX_PAYLOAD_BYTES / 3) return;
  if (length <= MAX_PAYLOAD_BYTES && Buffer.byteLength(payload) <= MAX_PAYLOAD_BYTES) return;
  throw new ProtocolError('too-large', `The payload is larger than ${MAX_PAYLOAD_BYTES} bytes.`);
}

/** Parses JSON in a payload.
 *  @throws ProtocolError `bad-payload`, saying what was expected. */
export function parseJson(payload: string, expected: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    throw new ProtocolError('bad-payload', `The payload ${excerpt(payload)} is not JSON: give ${expected}.`);
  }
}

/** Reads a payload that is JSON: the text of a message, or a part of `together`, whose payload is decoded already.
 *  @throws ProtocolError `bad-payload`, saying what was expected. */
export function decodePayload(payload: unknown, expected: string): unknown {
  return typeof payload === 'string' ? parseJson(payload, expected) : payload;
}

/** Checks that a value is an array of at most 1,000 elements.
 *  @throws ProtocolError `bad-payload` or `too-large`. */
export function checkList(value: unknown, expected: string): unknown[] {
  if (!Array.isArray(value)) {
    throw new ProtocolError('bad-payload', `The payload ${excerpt(value)} is not an array: give ${expected}.`);
  }
  if (value.length > MAX_ITEMS) {
    throw new ProtocolError('too-large', `The payload has ${value.length} entries: give at most ${MAX_ITEMS}.`);
  }
  return value;
}

/** Checks that a value is an item and reduces it.
 *  @throws ProtocolError */
export function checkItem(value: unknown): string {
  if (typeof value !== 'string') {
    throw new ProtocolError(
      'bad-payload',
      `${excerpt(value)} is not an item: give a path, a URL or a name as a string.`,
    );
  }
  return normalizeItem(value);
}

/** Checks that a value is a notice's id: an item, or a whole number (as many databases number their notices).
 *  @throws ProtocolError */
export function checkNoticeId(value: unknown): string {
  return checkItem(typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value);
}

/** One item as it is, or a JSON array of them: whatever begins with `[` is JSON. */
export function parseOneOrMany(payload: unknown, expected: string): unknown[] {
  if (typeof payload === 'string' && !payload.startsWith('[')) return [payload];
  return checkList(decodePayload(payload, expected), expected);
}

/** Checks that a value is a time: milliseconds of the epoch, up to the year 2106.
 *  @throws ProtocolError `bad-payload`. */
export function checkTime(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= LAST_TIME) return value as number;
  throw new ProtocolError(
    'bad-payload',
    `"at" is ${excerpt(value)}: give milliseconds of the epoch, up to the year 2106.`,
  );
}

const ONCE = /^[A-Za-z0-9_-]{1,32}$/;

/** Checks that a value can name a view, so that it counts once.
 *  @throws ProtocolError `bad-payload`. */
export function checkOnce(value: unknown): string {
  if (typeof value === 'string' && ONCE.test(value)) return value;
  throw new ProtocolError('bad-payload', `"once" is ${excerpt(value)}: give 1 to 32 letters, digits, _ and -.`);
}
