import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { BrowserRequests, HandleRequest } from '../index.ts';

/** Makes the plugin with the routes of the script for pages: its text and its messages. In a context of its own, so that
 *  the site's parsers of bodies do not matter. */
export function browserRoutes(
  browser: BrowserRequests<FastifyRequest>,
  pageOf: (request: FastifyRequest, reply: FastifyReply) => HandleRequest<FastifyRequest>,
): FastifyPluginCallback {
  const { messagePath, maxBytes: bodyLimit } = browser;
  return (app, _options, done) => {
    const { prefix } = app;
    if (!messagePath.startsWith(`${prefix}/`)) {
      done(
        new RangeError(
          `The script for pages lies under ${prefix} here: give browserScript({ path: '${prefix}/sessionwise/' }).`,
        ),
      );
      return;
    }
    // Fastify puts the prefix before it again.
    const path = messagePath.slice(prefix.length);
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
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
    app.post(path, { bodyLimit }, async (request, reply) => {
      const { body } = request;
      const text = typeof body === 'string' ? body : undefined;
      const status = await browser.take(request, pageOf(request, reply), text);
      return reply.code(status).header('Cache-Control', 'no-store').send();
    });
    done();
  };
}
