import { randomUUID } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

/* finished-answers.ts: what became of the answers to requests that the proxy has let through.
 *
 * Next tells no code of ours: the proxy is done before the page begins, and `after()` runs for pages that failed too. Node
 * tells the end of each answer of the process on a channel (`node:diagnostics_channel`), with request and response. They are
 * told apart by a header that the proxy gives the request. */

/** Header with the name that the proxy gives a request. */
export const REQUEST_HEADER = 'x-sessionwise-request';
// Requests that broke off leave their entry behind.
const MOST_REMEMBERED = 10_000;

type Listener = (statusCode: number, request: IncomingMessage, response: ServerResponse) => void;

const LISTENERS = new Map<string, Listener>();
let isSubscribed = false;

/** Has the listener called when the answer to a request has ended whole. Returns the value of the request's header. */
export function whenFinished(listener: Listener): string {
  if (!isSubscribed) {
    isSubscribed = true;
    subscribe('http.server.response.finish', (message) => {
      const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
      const name = request.headers[REQUEST_HEADER];
      const found = typeof name === 'string' ? LISTENERS.get(name) : undefined;
      if (!found) return;
      LISTENERS.delete(name as string);
      found(response.statusCode, request, response);
    });
  }
  const name = randomUUID();
  if (LISTENERS.size >= MOST_REMEMBERED) LISTENERS.delete(LISTENERS.keys().next().value!);
  LISTENERS.set(name, listener);
  return name;
}
