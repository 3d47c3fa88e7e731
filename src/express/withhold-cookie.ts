import type { IncomingMessage, ServerResponse } from 'node:http';

/** Sees to it that express-session answers this request without a session cookie. It would set one with the token that
 *  the request came with: with `rolling`, a slow request with the previous secret would put that back into a browser that
 *  has the new one by now; and while the store is away, an empty session's cookie would replace a real one.
 *
 *  express-session sets its cookie as the headers are written, and only where `request.sessionID` is a string. */
export function withholdCookie(request: IncomingMessage & { sessionID?: string | undefined }): void {
  const response = responseOf(request);
  if (!response) return;
  const writeHead = response.writeHead;
  response.writeHead = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    const { sessionID } = request;
    request.sessionID = undefined;
    try {
      return Reflect.apply(writeHead, this, args) as ServerResponse;
    } finally {
      request.sessionID = sessionID;
    }
  } as typeof writeHead;
}

// Express has it on the request; Node keeps it on the socket.
function responseOf(request: IncomingMessage): ServerResponse | undefined {
  const { res, socket } = request as { res?: ServerResponse; socket?: { _httpMessage?: ServerResponse } };
  return res ?? socket?._httpMessage;
}
