import type { SessionClient } from '../../client/index.ts';

/** The requests whose page view each client counts already. */
const COUNTED = new WeakMap<SessionClient, WeakSet<object>>();

/** Whether a client does not count the page view of a request yet; from then on it does. So a middleware that is mounted
 *  twice counts a page once. */
export function isFirstCount(client: SessionClient, request: object): boolean {
  const counted = COUNTED.get(client) ?? new WeakSet();
  COUNTED.set(client, counted);
  if (counted.has(request)) return false;
  counted.add(request);
  return true;
}
