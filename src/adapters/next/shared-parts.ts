import { type SessionwiseOptions, WebParts } from '../index.ts';
import type { NextVisit } from './next-visit.ts';

const PARTS = Symbol.for('sessionwise.next');

/** Makes the parts of a site, or returns those that a call with the same options has made in this process: Next loads the
 *  modules of a site several times, for its proxy, its pages and its route handlers, and when a file changes.
 *  @throws RangeError or ConnectionOptionsError for an option that is unknown or cannot be used. */
export function sharedParts(options: SessionwiseOptions): WebParts<NextVisit> {
  const holder = globalThis as { [PARTS]?: Map<string, WebParts<NextVisit>> };
  holder[PARTS] ??= new Map();
  const all = holder[PARTS];
  const key = keyOf(options);
  const known = key === undefined ? undefined : all.get(key);
  if (known && !known.isClosed) return known;
  const parts = new WebParts<NextVisit>(options);
  if (key !== undefined) all.set(key, parts);
  return parts;
}

// Undefined for what cannot be compared: functions, and a client of node-redis.
function keyOf(options: SessionwiseOptions): string | undefined {
  let isPlain = true;
  const key = JSON.stringify(options, (_, value: unknown) => {
    if (typeof value === 'function' || (typeof value === 'object' && value !== null && 'sendCommand' in value)) {
      isPlain = false;
      return undefined;
    }
    return value;
  });
  return isPlain ? key : undefined;
}
