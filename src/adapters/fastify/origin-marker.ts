/* origin-marker.ts: how a session finds what it was loaded from.
 *
 * @fastify/session copies the data of a store, by string keys, into a session object of its own, so what the store
 * remembers of the data is lost. One of the fields is therefore a function: it is copied like the others, JSON leaves it
 * out, so it is neither stored nor looks like a change, and it leads back to the data. It is taken off the session as
 * soon as the store sees that. */

/** The field's name while it is on its way. */
export const ORIGIN_FIELD = 'sessionwiseOrigin';

type Origin = () => void;

const origins = new WeakMap<Origin, object>();

/** Adds the marker to data that go to the library. */
export function markOrigin(values: object): void {
  const origin: Origin = () => undefined;
  origins.set(origin, values);
  (values as Record<string, unknown>)[ORIGIN_FIELD] = origin;
}

/** Takes the marker off a session; the data that it was made of, or undefined where there is no marker of ours. */
export function takeOrigin(session: object): object | undefined {
  const origin = (session as Record<string, unknown>)[ORIGIN_FIELD];
  const values = typeof origin === 'function' ? origins.get(origin as Origin) : undefined;
  if (values) delete (session as Record<string, unknown>)[ORIGIN_FIELD];
  return values;
}
