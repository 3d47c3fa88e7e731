import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type Request, Router } from 'express';
import session from 'express-session';
import express4 from 'express4';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type SessionMiddlewareOptions, SessionStore, sessionwise } from '../../../src/adapters/express/index.ts';
import { bearerOf } from '../../../src/adapters/http/page-request.ts';
import { createToken, SessionClient, sessionOf } from '../../../src/index.ts';
import { createConnection, type RedisConnection } from '../../../src/redis/index.ts';
import { type Service, startService } from '../../../src/service/index.ts';
import { recordOf } from '../../../src/sessions/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { USER_AGENT } from '../suite/adapter-site.ts';

const BROWSER = { 'sec-fetch-dest': 'document', 'user-agent': USER_AGENT };

const server = useRedis({ eachTest: 'kept' });
let service: Service;
let redis: RedisConnection;
let client: SessionClient;
const servers: Server[] = [];

beforeAll(async () => {
  service = await startService({ redis: server.url, secret: 'a secret of the tests, long enough' });
  redis = await createConnection(server.url).connect();
  client = new SessionClient({ redis: server.url, deadlineMs: 20_000 });
  expect(await client.ready()).toBe(true);
});
afterAll(async () => {
  await client?.close();
  await service?.stop();
  await redis?.close();
});
afterEach(() => {
  for (const running of servers.splice(0)) {
    running.close();
    running.closeAllConnections();
  }
});

interface Answer {
  readonly status: number;
  /** Of express-session. */
  readonly cookie: string | undefined;
  /** All that were set, `name=value`. */
  readonly cookies: readonly string[];
  readonly body: { id?: string; sid?: string; views?: number };
}

/** Asks as a browser would; the path goes onto the request line as it is. */
async function ask(
  app: Server,
  path: string,
  headers: Record<string, string> = BROWSER,
  method = 'GET',
): Promise<Answer> {
  const { port } = app.address() as AddressInfo;
  const request = httpRequest({ port, host: '127.0.0.1', path, headers, method }).end();
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  const lines: string[] = response.headers['set-cookie'] ?? [];
  const cookies = lines.map((line) => line.split(';')[0]!);
  const cookie = cookies.find((pair) => pair.startsWith('connect.sid='));
  return { status: response.statusCode, cookie, cookies, body: text.startsWith('{') ? JSON.parse(text) : {} };
}

async function listen(app: Express): Promise<Server> {
  const running = app.listen(0, '127.0.0.1');
  servers.push(running);
  await once(running, 'listening');
  return running;
}

/** A site: express-session, the middleware, and pages that tell what they were given. */
async function startSite(
  options: Partial<SessionMiddlewareOptions<Request>> = {},
  withSession = true,
  store: session.Store = new session.MemoryStore(),
): Promise<Server> {
  const app = express();
  if (withSession) {
    app.use(session({ secret: 'cookies', resave: false, saveUninitialized: false, store }));
  }
  app.use(sessionwise<Request>({ client, ...options }));
  app.use(async (request, response) => {
    const figures = await request.sessionwise.request('session-analytics', '');
    response.json({ id: request.sessionwise.id, sid: request.sessionID, views: figures?.totalPages });
  });
  return listen(app);
}

function bearer(token: string): Record<string, string> {
  return { ...BROWSER, authorization: `Bearer ${token}` };
}

describe('a page view', () => {
  it('is known by the path that was asked for, not by that of a router', async () => {
    const app = express();
    const router = Router();
    router.use(sessionwise({ client }));
    router.get('/x', (request, response) => void response.json({ id: request.sessionwise.id }));
    app.use('/shop', router);
    const { body } = await ask(await listen(app), '/shop/x', bearer(randomUUID()));
    expect(await client.session(body.id!).request('surface', ['/shop/x', '/x'])).toEqual(['/x']);
  });

  it.each(['//a/b', '/%zz', `/${'x'.repeat(5000)}`, '/?', '/a:b*{c}', '/<script>'])(
    'of %.20s fails no request',
    async (path) => {
      const site = await startSite();
      const headers = bearer(randomUUID());
      expect((await ask(site, path, headers)).status).toBe(200);
      // A path that is too long for an item is no view; every other is.
      expect((await ask(site, '/a', headers)).body.views).toBe(path.length > 2048 ? 0 : 1);
    },
  );
});

describe('a page view at the end of its answer', () => {
  it('of a site whose sessions are its visitors counts nothing where the session has ended', async () => {
    for (const path of ['/destroy', '/null']) {
      const app = express();
      app.use(session({ secret: 'cookies', resave: false, saveUninitialized: true }));
      app.use(sessionwise<Request>({ client, token: (request) => request.sessionID }));
      app.get('/a', (request, response) => void response.json({ id: request.sessionwise.id }));
      app.get('/destroy', (request, response) => request.session.destroy(() => response.json({})));
      app.get('/null', (request, response) => {
        request.session = null as never;
        response.json({});
      });
      const site = await listen(app);
      const { cookie } = await ask(site, '/a');
      const { publishes } = client.counters;
      expect((await ask(site, path, { ...BROWSER, cookie: cookie! })).status).toBe(200);
      expect(client.counters.publishes).toBe(publishes);
    }
  });

  it('counts for the id that a request has without express-session', async () => {
    const app = express();
    app.use((request, _response, next) => {
      request.sessionID = request.get('x-id')!;
      next();
    });
    app.use(sessionwise<Request>({ client, token: (request) => request.sessionID }));
    app.use((request, response) => void response.json({ id: request.sessionwise.id }));
    const { publishes } = client.counters;
    const { body } = await ask(await listen(app), '/a', { ...BROWSER, 'x-id': randomUUID() });
    expect(client.counters.publishes).toBe(publishes + 1);
    expect((await client.session(body.id!).request('session-analytics', ''))!.totalPages).toBe(1);
  });

  it.each([express, express4])('counts nothing where there is no such page', async (create) => {
    const app = create();
    app.use(sessionwise({ client }));
    const { publishes } = client.counters;
    expect((await ask(await listen(app), '/nowhere', bearer(randomUUID()))).status).toBe(404);
    expect(client.counters.publishes).toBe(publishes);
  });
});

describe('no page view', () => {
  let site: Server;
  beforeEach(async () => {
    site = await startSite();
  });

  it.each<[string, string, Record<string, string>]>([
    ['HEAD', 'HEAD', BROWSER],
    ['POST', 'POST', BROWSER],
    ['PUT', 'PUT', {}],
    ['DELETE', 'DELETE', {}],
    ['OPTIONS', 'OPTIONS', {}],
    ['a style', 'GET', { 'sec-fetch-dest': 'style' }],
  ])('is %s, though it has its handle', async (_, method, headers) => {
    const token = randomUUID();
    const { status, body } = await ask(site, '/a', { ...headers, authorization: `Bearer ${token}` }, method);
    expect(status).toBe(200);
    if (method !== 'HEAD') expect(body.id).toBe(sessionOf(token));
    expect((await ask(site, '/a', bearer(token))).body.views).toBe(0);
  });

  it('is a GET of a client that says nothing of itself: that is one', async () => {
    const headers = { authorization: `Bearer ${randomUUID()}` };
    await ask(site, '/a', headers);
    expect((await ask(site, '/a', headers)).body.views).toBe(1);
  });
});

describe('the token', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BEARER   abc  ', 'abc'],
    ['Bearer', 'cookie'],
    ['Bearer ', 'cookie'],
    ['Bearer a b', 'cookie'],
    ['Basic abc', 'cookie'],
    ['xBearer abc', 'cookie'],
    [undefined, 'cookie'],
  ])('is read from %j as %j', (authorization, expected) => {
    expect(bearerOf({ header: () => authorization }) ?? 'cookie').toBe(expected);
  });

  it('of our own form that a function of the site has not looked at is nobody without a store', async () => {
    const site = await startSite({ token: (request) => request.get('x-api-key') });
    expect((await ask(site, '/a', { 'x-api-key': createToken() })).body.id).toBeUndefined();
  });

  describe('of our own form, as a bearer token', () => {
    let store: SessionStore;
    beforeEach(() => {
      store = new SessionStore({ redis: server.url, sweep: false, graceMs: 0 });
    });
    afterEach(() => store.close());

    it('renews its session: its idle time, or its cookie’s age, counts from then', async () => {
      const idleMs = 3_600_000;
      const maxAge = 600_000;
      const frequent = new SessionStore({ redis: server.url, sweep: false, idleMs, touchEveryMs: 1 });
      onTestFinished(() => frequent.close());
      const site = await startSite({ store: frequent });
      const expires = new Date(Date.now() + maxAge);
      for (const cookie of [undefined, { originalMaxAge: maxAge, expires }]) {
        const token = createToken();
        await frequent.data.save(token, { user: 'ada', ...(cookie && { cookie }) });
        const { expiresAt, cookieExpiresAt } = recordOf((await frequent.data.load(token))!).header;
        await waitUntil('it is renewed', async () => {
          await ask(site, '/a', bearer(token));
          return frequent.data.infoOf((await frequent.data.load(token))!).expiresAt > expiresAt;
        });
        const { header } = recordOf((await frequent.data.load(token))!);
        const longest = cookie ? maxAge : idleMs;
        expect(header.expiresAt - header.lastSeenAt).toBeGreaterThan(longest - 1_000);
        expect(header.expiresAt - header.lastSeenAt).toBeLessThan(longest + 1_000);
        if (cookie) expect(header.cookieExpiresAt).toBeGreaterThan(cookieExpiresAt);
        else expect(header.cookieExpiresAt).toBe(0);
      }
    });

    it('renews no session that was renewed a moment ago', async () => {
      const site = await startSite({ store });
      const token = createToken();
      await store.data.save(token, { user: 'ada' });
      const { expiresAt } = store.data.infoOf((await store.data.load(token))!);
      for (let i = 0; i < 5; i += 1) await ask(site, '/a', bearer(token));
      expect(store.data.infoOf((await store.data.load(token))!).expiresAt).toBe(expiresAt);
    });

    it.each(['given', 'express-session’s'])('of another form counts while the %s store knows it', async (whose) => {
      const site = await startSite(whose === 'given' ? { store } : {}, true, store as never);
      const [rotated, ended] = [randomUUID(), randomUUID()];
      for (const token of [rotated, ended]) {
        await store.data.save(token, { user: 'ada' });
        expect((await ask(site, '/a', bearer(token))).body.id).toBe(sessionOf(token));
      }
      const next = (await store.data.rotate(rotated))!;
      await store.data.end(ended);
      for (const token of [rotated, ended, randomUUID()]) {
        expect((await ask(site, '/a', bearer(token))).body.id).toBeUndefined();
      }
      expect((await ask(site, '/a', bearer(next))).body.id).toBe(sessionOf(rotated));
    });

    it('is nobody without a store, and where the store is away', async () => {
      const away = new SessionStore({ redis: 'unix:///nowhere/redis.sock', deadlineMs: 100 });
      onTestFinished(() => away.close());
      for (const options of [{}, { store: away }]) {
        const { status, body } = await ask(await startSite(options), '/a', bearer(createToken()));
        expect(status).toBe(200);
        expect(body.id).toBeUndefined();
      }
    });
  });

  it('may be missing: a browser has its own cookie, without express-session too', async () => {
    const site = await startSite({}, false);
    const { status, body, cookies } = await ask(site, '/a');
    const value = cookies[0]!.slice('sessionwise='.length).split('.')[0]!;
    expect({ status, id: body.id, count: cookies.length }).toEqual({ status: 200, id: sessionOf(value), count: 1 });
  });

  it('goes nowhere: no channel, no payload, no key', async () => {
    const messages: string[] = [];
    const listener = await redis.duplicate().connect();
    onTestFinished(() => listener.close());
    await listener.subscribePatterns(['*'], (message, channel) => messages.push(`${channel} ${message}`));
    const store = new SessionStore({ redis: server.url, sweep: false });
    onTestFinished(() => store.close());
    const site = await startSite({ store, countWhen: 'start' });
    const own = createToken();
    await store.data.save(own, {});
    await store.data.save('bearer-token-of-the-test', {});
    const tokens = ['bearer-token-of-the-test', own, own.slice(26)];
    await ask(site, '/a', bearer(tokens[0]!));
    await ask(site, '/a', bearer(own));
    const { cookies, body } = await ask(site, '/a');
    await ask(site, '/b', { ...BROWSER, cookie: cookies.join('; ') });
    tokens.push(body.sid!, cookies[0]!.split('=')[1]!.split('.')[0]!);
    await waitUntil(
      'all four views are heard',
      () => messages.filter((text) => /^ss:(pageview|together):/.test(text) && text.includes('pageview')).length === 4,
    );
    const keys = await redis.command<string[]>('KEYS', '*');
    const values = await Promise.all(keys.map((key) => redis.commandForBuffers<Buffer>('DUMP', key)));
    const everything = [...messages, ...keys, ...values.map((value) => value.toString('latin1'))];
    expect(everything.length).toBeGreaterThan(12);
    for (const token of tokens) {
      expect(everything.filter((text) => text.includes(token))).toEqual([]);
    }
  });
});

describe('a visitor who has done nothing yet', () => {
  it('keeps one id by their cookie, and no session is saved', async () => {
    const store = new session.MemoryStore();
    const saved = vi.spyOn(store, 'set');
    const site = await startSite({}, true, store);
    const first = await ask(site, '/a');
    expect(first.cookies).toHaveLength(1);
    for (let views = 1; views <= 3; views += 1) {
      const next = await ask(site, '/b', { ...BROWSER, cookie: first.cookies[0]! });
      expect(next.body).toMatchObject({ id: first.body.id, views });
      expect(next.cookies).toEqual([]);
    }
    expect(saved).not.toHaveBeenCalled();
  });
});

describe('the visitor’s cookie', () => {
  it.each([
    [true, 'https', true],
    [true, 'http', false],
    [false, 'https', false],
  ])('is Secure like the request: trust proxy %s, behind %s', async (isTrusted, protocol, isSecure) => {
    for (const create of [express, express4]) {
      const app = create();
      if (isTrusted) app.set('trust proxy', 1);
      app.use(sessionwise({ client }));
      app.get('/a', (_request, response) => void response.redirect('/b'));
      const site = await listen(app);
      const { port } = site.address() as AddressInfo;
      const headers = { ...BROWSER, 'x-forwarded-proto': protocol };
      const response = await fetch(`http://127.0.0.1:${port}/a`, { headers, redirect: 'manual' });
      const [line] = response.headers.getSetCookie();
      expect(line!.includes('; Secure')).toBe(isSecure);
    }
  });

  it('is one for all middlewares of a request, and their handles ask as one visitor', async () => {
    const app = express();
    app.use(sessionwise({ client, pageview: 'off' }));
    const ids: (string | undefined)[] = [];
    app.use((request, _response, next) => {
      ids.push(request.sessionwise.id);
      next();
    });
    app.get('/a', sessionwise({ client }), (request, response) => {
      ids.push(request.sessionwise.id);
      response.json({});
    });
    const site = await listen(app);
    const { cookies } = await ask(site, '/a');
    expect(cookies).toHaveLength(1);
    await ask(site, '/a', { ...BROWSER, cookie: cookies[0]! });
    expect(new Set(ids).size).toBe(1);
  });

  it('goes with a 304 once', async () => {
    const app = express();
    app.use(sessionwise({ client }));
    app.get('/a', (_request, response) => void response.send('a page'));
    const site = await listen(app);
    const { port } = site.address() as AddressInfo;
    const first = await fetch(`http://127.0.0.1:${port}/a`, { headers: BROWSER });
    const headers = { ...BROWSER, 'if-none-match': first.headers.get('etag')! };
    const { cookies, status } = await ask(site, '/a', headers);
    expect([status, cookies.length]).toEqual([304, 1]);
    expect(await ask(site, '/a', { ...headers, cookie: cookies[0]! })).toMatchObject({ status: 304, cookies: [] });
  });
});

describe('the middleware', () => {
  it('needs a client', () => {
    expect(() => sessionwise({} as never)).toThrow(RangeError);
    expect(() => sessionwise({} as never)).toThrow('new SessionClient');
  });

  it('waits for nothing: the next handler runs in the same turn', () => {
    const middleware = sessionwise({ client });
    let called = 0;
    const request = { method: 'GET', url: '/a', headers: { authorization: 'Bearer x' } };
    middleware(request as never, { on: () => undefined } as never, () => {
      called += 1;
    });
    expect(called).toBe(1);
  });
});
