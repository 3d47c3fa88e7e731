import { MAX_ITEMS, normalizeItem, ProtocolError } from '../../protocol/index.ts';
import { excerpt } from '../../protocol/item.ts';

/** Parses JSON in a payload.
 *  @throws ProtocolError `bad-payload`, saying what was expected. */
export function parseJson(payload: string, expected: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    throw new ProtocolError('bad-payload', `The payload ${excerpt(payload)} is not JSON: give ${expected}.`);
  }
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
export function parseOneOrMany(payload: string, expected: string): unknown[] {
  return payload.startsWith('[') ? checkList(parseJson(payload, expected), expected) : [payload];
}
