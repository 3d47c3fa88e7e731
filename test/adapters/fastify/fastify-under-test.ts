import { createHmac, randomUUID } from 'node:crypto';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { SessionStore, sessionwise } from '../../../src/adapters/fastify/index.ts';
import { createToken } from '../../../src/index.ts';
import type { AdapterUnderTest, PageContext, Site, SiteOptions } from '../suite/adapter-site.ts';

type Settings = Partial<fastifySession.FastifySessionOptions>;

const SECRET = 'a secret of the tests, and long enough';

/** Fastify with @fastify/session. */
export const FASTIFY: AdapterUnderTest<Settings> = {
  name: 'Fastify',
  // With `rolling` each answer sets the cookie; without it, the library clears one that it does not know.
  settings: [
    ['rolling', {}],
    ['saving nothing unless it is changed', { rolling: false, saveUninitialized: false }],
    ['with a prefix', { cookiePrefix: 's:' }],
    ['with tokens of another form', { idGenerator: () => randomUUID() }],
  ],
  anonymous: [
    ['saving what is empty', {}],
    ['saving nothing unless it is changed', { rolling: false, saveUninitialized: false }],
  ],
  cookies: {
    name: 'sessionId',
    tokenIn(cookie) {
      const signed = decodeURIComponent(cookie.split('=')[1]!).replace(/^s:/, '');
      return signed.slice(0, signed.lastIndexOf('.'));
    },
    sign(token) {
      const signature = createHmac('sha256', SECRET).update(token).digest('base64').replace(/=+$/, '');
      return `sessionId=${encodeURIComponent(`${token}.${signature}`)}`;
    },
  },
  setsAgain: ({ rolling }) => (rolling === false ? 'changed' : 'always'),
  savesBeforeAnswer: true,
  servesScript: true,
  open: openSite,
};

async function openSite({ settings, pages, client, handle, takesIds, ...more }: SiteOptions<Settings>): Promise<Site> {
  const store = new SessionStore({ sweep: false, deadlineMs: 20_000, ...more.store });
  const idGenerator = (request: FastifyRequest | undefined): string => {
    const given = takesIds ? request?.headers['x-id'] : undefined;
    return typeof given === 'string' ? given : createToken();
  };
  const errors: string[] = [];
  const app = Fastify({ forceCloseConnections: true });
  await app.register(fastifyCookie);
  await app.register(fastifySession, {
    secret: SECRET,
    cookie: { secure: false },
    idGenerator: (more.genid ?? idGenerator) as () => string,
    ...settings,
    store,
  });
  await app.register(sessionwise, { ...(client && { client }), ...handle });
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
    errors.push(error.code ?? error.message);
    return reply.code(error.statusCode ?? 500).send({ code: error.code, message: error.message });
  });
  app.get('/*', { exposeHeadRoute: true }, async (request, reply) => {
    const [name = '', ...params] = request.url.split('?')[0]!.slice(1).split('/');
    const result = await pages[name]!(contextOf(request, reply), ...params);
    if (!reply.raw.headersSent) return reply.type('application/json').send(JSON.stringify(result ?? null));
    if (!reply.raw.writableEnded) reply.raw.end('last');
    return reply;
  });
  return {
    url: await app.listen({ port: 0, host: '127.0.0.1' }),
    store,
    errors,
    async close() {
      await app.close();
      await store.close();
    },
  };
}

function contextOf(request: FastifyRequest, reply: FastifyReply): PageContext {
  return {
    get session() {
      return request.session as unknown as PageContext['session'];
    },
    get handle() {
      return request.sessionwise;
    },
    ownToken: request.session.sessionId,
    query: new URL(request.url, 'http://site').searchParams,
    save: () => request.session.save(),
    regenerate: () => request.session.regenerate(),
    destroy: () => request.session.destroy(),
    reload: () => request.session.reload(),
    sendHead() {
      reply.hijack();
      reply.raw.write('at ');
    },
    status: (code) => void reply.code(code),
    answer: async () => reply.send('at once'),
    raw: reply.raw,
  };
}
