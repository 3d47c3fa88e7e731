import type { ServerResponse } from 'node:http';
import type { LiveOptions, LiveStreams } from '../index.ts';
import { ExpressPage, type SessionRequest } from './session-middleware.ts';

/** Makes the middleware of live streams.
 *  @throws RangeError for an option that is unknown or cannot be used. */
export function liveMiddleware(
  streams: LiveStreams,
  options: LiveOptions,
): (request: SessionRequest, response: ServerResponse, next: (error?: unknown) => void) => void {
  streams.configure('sw.live()', options);
  return (request, response, next) => {
    try {
      const answer = streams.answer(request, new ExpressPage(request, response), request.sessionwise, () => response);
      if (!answer) return;
      const { status, headers, body } = answer;
      response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : body);
    } catch (error) {
      next(error);
    }
  };
}
