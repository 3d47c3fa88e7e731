import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { BrowserRequests, HandleRequest } from '../index.ts';

/** Makes the plugin with the routes of the script for pages: its text and its messages. In a context of its own, so that
 *  the site's parsers of bodies do not matter. */
export function browserRoutes(
  browser: BrowserRequests<FastifyRequest>,
  pageOf: (request: FastifyRequest, reply: FastifyReply) => HandleRequest<FastifyRequest>,
): FastifyPluginCallback {
  const { messagePath, maxBytes: bodyLimit } = browser;
  const folder = messagePath.slice(0, messagePath.lastIndexOf('/') + 1);
  return (app, _options, done) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'string', bodyLimit }, (_request, body, parsed) => {
      parsed(null, body);
    });
    app.get(`${folder}:file`, (request, reply) => {
      if (browser.purposeOf(request.originalUrl) !== 'script') return reply.callNotFound();
      const ifNoneMatch = request.headers['if-none-match'];
      const { status, headers, body } = browser.script(request.originalUrl, ifNoneMatch, 'session' in request);
      return reply.code(status).headers(headers).send(body);
    });
    app.post(messagePath, { bodyLimit }, async (request, reply) => {
      const { body } = request;
      const text = typeof body === 'string' ? body : undefined;
      const status = await browser.take(request, pageOf(request, reply), text);
      return reply.code(status).header('Cache-Control', 'no-store').send();
    });
    done();
  };
}
