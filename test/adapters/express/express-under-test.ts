import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Request, type Response } from 'express';
import session from 'express-session';
import express4 from 'express4';
import { SessionStore, sessionwise } from '../../../src/adapters/express/index.ts';
import { createToken } from '../../../src/index.ts';
import type { AdapterUnderTest, PageContext, Site, SiteOptions } from '../suite/adapter-site.ts';

type Settings = Partial<session.SessionOptions>;

const MAX_AGE_MS = 7_200_000;
const SECRET = 'a secret for tests, and only for them';

/** Express with express-session. */
export const EXPRESS: AdapterUnderTest<Settings> = {
  name: 'Express',
  // With `saveUninitialized` and `rolling` each answer sets a cookie where it may.
  settings: [
    ['as recommended', {}],
    ['maxAge', { cookie: { maxAge: MAX_AGE_MS } }],
    ['rolling', { rolling: true, cookie: { maxAge: MAX_AGE_MS } }],
    ['saving what is empty', { rolling: true, saveUninitialized: true }],
  ],
  anonymous: [
    ['as recommended', { cookie: { maxAge: MAX_AGE_MS } }],
    ['saving what is empty', { saveUninitialized: true }],
  ],
  cookies: {
    name: 'connect.sid',
    tokenIn(cookie) {
      const signed = decodeURIComponent(cookie.split('=')[1]!);
      return signed.slice('s:'.length, signed.lastIndexOf('.'));
    },
    sign(token) {
      const signature = createHmac('sha256', SECRET).update(token).digest('base64').replace(/=+$/, '');
      return `connect.sid=${encodeURIComponent(`s:${token}.${signature}`)}`;
    },
  },
  setsAgain: ({ rolling, cookie }) => (rolling ? 'always' : cookie ? 'changed' : 'never'),
  savesBeforeAnswer: false,
  servesScript: true,
  open: (options) => openSite(express, options),
};

/** The same with Express 4. */
export const EXPRESS_4: AdapterUnderTest<Settings> = {
  ...EXPRESS,
  name: 'Express 4',
  open: (options) => openSite(express4, options),
};

async function openSite(
  createApp: typeof express,
  { settings, pages, client, handle, takesIds, ...more }: SiteOptions<Settings>,
): Promise<Site> {
  const store = new SessionStore({ sweep: false, deadlineMs: 20_000, ...more.store });
  const genid = more.genid ?? (takesIds ? (request: Request) => request.get('x-id') ?? createToken() : store.genid);
  const errors: string[] = [];
  const app = createApp();
  app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false, genid, ...settings }));
  if (client) app.use(sessionwise<Request>({ client, ...handle }));
  const show = async (request: Request, response: Response): Promise<void> => {
    const [name = '', ...params] = request.path.slice(1).split('/');
    const result = await pages[name]!(contextOf(request, response), ...params);
    if (response.headersSent) response.end('last');
    else response.json(result ?? null);
  };
  // Express 4 looks at no promise.
  app.use((request, response, next) => void show(request, response).catch(next));
  const answerError: ErrorRequestHandler = (error: Error & { status?: number; code?: string }, _, response, next) => {
    errors.push(error.code ?? error.message);
    if (response.headersSent) return next(error);
    response.status(error.status ?? 500).json({ code: error.code, message: error.message });
  };
  app.use(answerError);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    store,
    errors,
    async close() {
      server.closeAllConnections();
      server.close();
      await store.close();
    },
  };
}

function contextOf(request: Request, response: Response): PageContext {
  const call = (verb: 'save' | 'regenerate' | 'destroy' | 'reload'): Promise<void> =>
    new Promise((resolve, reject) => {
      request.session[verb]((error: unknown) => (error ? reject(error as Error) : resolve()));
    });
  return {
    get session() {
      return request.session as unknown as PageContext['session'];
    },
    get handle() {
      return request.sessionwise;
    },
    ownToken: request.sessionID,
    query: new URL(request.url, 'http://site').searchParams,
    save: () => call('save'),
    regenerate: () => call('regenerate'),
    destroy: () => call('destroy'),
    reload: () => call('reload'),
    sendHead: () => void response.write('at '),
    status: (code) => void response.status(code),
    answer: async () => response.json('at once'),
    raw: response,
  };
}
