import type { ServerResponse } from 'node:http';
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { LiveOptions, LiveStreams } from '../index.ts';
import { type AnyRequest, FastifyPage } from './session-plugin.ts';
import { FASTIFY_OPTIONS } from './without-encapsulation.ts';

/** Makes the plugin of live streams. It has routes, and is encapsulated like any other: `prefix` says where they are. */
export function livePlugin(streams: LiveStreams): FastifyPluginCallback<LiveOptions> {
  return Object.assign(
    ((app, options, registered) => {
      try {
        streams.configure('sw.live', options, FASTIFY_OPTIONS);
        if (app.prefix === '') throw new RangeError(NO_PREFIX);
      } catch (error) {
        registered(error as RangeError);
        return;
      }
      const answer = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
        const page = new FastifyPage(request as AnyRequest, reply);
        const found = streams.answer(request, page, request.sessionwise, () => takeOver(reply));
        return found ? reply.code(found.status).headers(found.headers).send(found.body) : reply;
      };
      app.route({ method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], url: '/', handler: answer });
      app.get('/:file', (request, reply) =>
        /\.js(\?|$)/.test(request.originalUrl) ? answer(request, reply) : reply.callNotFound(),
      );
      registered();
    }) as FastifyPluginCallback<LiveOptions>,
    { [Symbol.for('fastify.display-name')]: 'sessionwise-live' },
  );
}

const NO_PREFIX =
  'sw.live needs a path of its own: app.register(sw.live, { prefix: "/live" }). Without one it would be the first page of the site.';

// The stream is written on Node's response; the headers that others have set go with it.
function takeOver(reply: FastifyReply): ServerResponse {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  return reply.raw;
}
