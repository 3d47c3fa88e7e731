import type { IncomingMessage, ServerResponse } from 'node:http';

/** The response to a request; undefined where there is none, or none yet. Express has it on the request; Node keeps it on
 *  the socket. */
export function responseOf(request: IncomingMessage): ServerResponse | undefined {
  const { res, socket } = request as { res?: ServerResponse; socket?: { _httpMessage?: ServerResponse } };
  return res ?? socket?._httpMessage;
}
