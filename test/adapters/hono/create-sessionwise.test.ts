import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { compress } from 'hono/compress';
import { HTTPException } from 'hono/http-exception';
import { streamText } from 'hono/streaming';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  browserScript,
  createSessionwise,
  type Sessionwise,
  type SessionwiseEnv,
} from '../../../src/adapters/hono/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { type SiteRequest, testCreateSessionwise } from '../create-sessionwise.suite.ts';
import { USER_AGENT, Visitor } from '../suite/adapter-site.ts';
import { testWebObject } from '../web/web-object.suite.ts';

const COOKIES = { name: 'sid', tokenIn: () => '', sign: () => '' };
const SECRET = 'a secret of the tests, long enough';

testCreateSessionwise<Sessionwise>({
  name: 'Hono',
  cookieName: 'sid',
  create: (options) => createSessionwise(options && { trustProxy: true, ...options }),
  async open(sw, pages, session = {}) {
    const app = new Hono<SessionwiseEnv>();
    if (session) app.use(sw.session(session));
    app.use(sw.knowledge(session ? {} : { user: (c) => c.req.header('x-user') }));
    app.get('/:name', async (c) => c.json((await pages[c.req.param('name')]!(requestOf(c))) ?? null));
    return listen(app);
  },
});

testWebObject('Hono', createSessionwise);

describe('Hono', () => {
  const server = useRedis({ eachTest: 'kept' });
  const make = (more: object = {}): Sessionwise => {
    const sw = createSessionwise({ redis: server.url, ...more });
    onTestFinished(() => sw.close());
    return sw;
  };
  const begin = (sw: Sessionwise): Hono<SessionwiseEnv<{ cart?: string[] }>> => {
    const app = new Hono<SessionwiseEnv<{ cart?: string[] }>>();
    app.use(sw.session()).use(sw.knowledge());
    return app;
  };

  it('refuses an option that cannot be used', () => {
    expect(() => make({ trustProxy: 'yes' })).toThrow(/trustProxy cannot be used: give true or false/);
  });

  it.each([true, false])('believes a proxy only where it is told to: %s', async (trustProxy) => {
    const app = begin(make({ trustProxy }));
    app.get('/', async (c) => c.json(await c.var.session.append('cart', 'lamp')));
    const response = await app.request('/', { headers: { 'x-forwarded-proto': 'https', 'user-agent': USER_AGENT } });
    const cookies = response.headers.getSetCookie();
    expect(cookies.filter((line) => line.includes('; Secure'))).toHaveLength(trustProxy ? 2 : 0);
    expect(cookies).toHaveLength(2);
  });

  describe.each(['on Node’s server', 'by app.request()'])('%s', (where) => {
    it('renews no cookie on an answer that shared caches keep, which would give the session to everybody', async () => {
      const sw = make();
      const app = new Hono<SessionwiseEnv<{ cart?: string[] }>>();
      app.use(sw.session({ rolling: true, cookie: { maxAge: 3_600_000 } }));
      app.get('/begin', async (c) => c.json(await c.var.session.append('cart', 'lamp')));
      app.get('/own', (c) => c.json(c.var.session.cart));
      app.get('/shared', (c) => c.text('for all', 200, { 'Cache-Control': 'public, max-age=600' }));
      const ask = await open(app);
      const [line = ''] = (await ask('/begin')).headers.getSetCookie();
      const headers = { cookie: line.split(';', 1)[0]! };
      expect((await ask('/own', { headers })).headers.getSetCookie()).toHaveLength(1);
      expect((await ask('/shared', { headers })).headers.getSetCookie()).toEqual([]);
    });

    type Ask = (path: string, init?: RequestInit) => Promise<Response>;
    const open = async (app: Hono<SessionwiseEnv<{ cart?: string[] }>>): Promise<Ask> => {
      const agent = { 'user-agent': USER_AGENT, 'sec-fetch-dest': 'document' };
      if (where === 'by app.request()') {
        return async (path, init) => app.request(path, { ...init, headers: { ...agent, ...init?.headers } });
      }
      const site = await listen(app);
      onTestFinished(() => site.close());
      return (path, init) => fetch(site.url + path, { ...init, headers: { ...agent, ...init?.headers } });
    };
    const cookiesOf = (response: Response): Record<string, string> => ({
      cookie: response.headers
        .getSetCookie()
        .map((line) => line.split(';')[0])
        .join('; '),
    });

    it('keeps the session and the visitor, also where the handler fails', async () => {
      const app = begin(make());
      app.onError((error, c) => c.text(error.message, error instanceof HTTPException ? error.status : 500));
      app.get('/read', (c) => c.json(c.var.session.cart ?? null));
      app.get('/fails', (c) => {
        c.var.session.cart = ['lamp'];
        throw new HTTPException(418, { message: 'of the page' });
      });
      const ask = await open(app);
      const failed = await ask('/fails');
      expect([failed.status, await failed.text()]).toEqual([418, 'of the page']);
      expect(failed.headers.getSetCookie()).toHaveLength(2);
      expect(await (await ask('/read', { headers: cookiesOf(failed) })).json()).toEqual(['lamp']);
    });

    it('counts a view when its answer was read to the end, and none that failed, broke off or was HEAD', async () => {
      const sw = make({ service: 'inline', secret: SECRET });
      const app = begin(sw);
      app.onError((_, c) => c.text('failed', 500));
      app.get('/page', (c) => c.text('page'));
      app.get('/empty', (c) => c.body(null, 204));
      app.get('/fails', () => {
        throw new Error('of the page');
      });
      app.get('/stream', (c) =>
        streamText(c, async (stream) => {
          await stream.write('first, ');
          await stream.write('second');
        }),
      );
      app.get('/endless', (c) =>
        streamText(c, async (stream) => {
          await stream.write('first');
          await new Promise<void>((resolve) => stream.onAbort(resolve));
        }),
      );
      const ask = await open(app);
      expect(await sw.client.ready()).toBe(true);
      const first = await ask('/page');
      await first.text();
      const headers = cookiesOf(first);
      expect(await (await ask('/stream', { headers })).text()).toBe('first, second');
      await (await ask('/empty', { headers })).text();
      await (await ask('/fails', { headers })).text();
      await ask('/page', { headers, method: 'HEAD' });
      const reader = (await ask('/endless', { headers })).body!.getReader();
      await reader.read();
      await reader.cancel();
      const last = await ask('/page', { headers });
      await last.text();
      await waitUntil('four views were counted', () => sw.client.counters.publishes >= 4);
      expect(sw.client.counters.publishes).toBe(4);
    });

    it('saves before the head of a stream, and what the stream changes where it says so', async () => {
      const app = begin(make());
      app.get('/read', (c) => c.json(c.var.session.cart ?? null));
      app.get('/stream', (c) => {
        const { session } = c.var;
        session.cart = ['lamp'];
        return streamText(c, async (stream) => {
          await stream.write('first');
          session.cart!.push('tv');
          await session.save();
        });
      });
      const ask = await open(app);
      const response = await ask('/stream');
      expect(await response.text()).toBe('first');
      expect(await (await ask('/read', { headers: cookiesOf(response) })).json()).toEqual(['lamp', 'tv']);
    });

    it('answers 503 where the session could not be saved, and gives it no cookie', async () => {
      const app = begin(make());
      app.onError((error, c) => c.text(error.message, (error as { status?: 503 }).status ?? 500));
      app.get('/', (c) => {
        c.var.session.cart = ['lamp'];
        return c.text('page');
      });
      const ask = await open(app);
      await server.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
      onTestFinished(() => server.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0'));
      const response = await ask('/');
      expect(response.status).toBe(503);
      expect(response.headers.getSetCookie().map((line) => line.split('=')[0])).toEqual(['sessionwise']);
    });

    it('serves the script for pages and takes its messages, whether a middleware has read the body or not', async () => {
      const sw = make();
      const script = browserScript();
      for (const isRead of [false, true]) {
        const app = new Hono<SessionwiseEnv<{ cart?: string[] }>>();
        if (isRead)
          app.use(async (c, next) => {
            await c.req.text();
            await next();
          });
        app.use(sw.session()).use(sw.knowledge({ script }));
        const ask = await open(app);
        expect((await (await ask(script.src)).text()).length).toBeGreaterThan(1_000);
        const body = JSON.stringify({ view: '/a', once: 'a' });
        const headers = { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' };
        const response = await ask('/sessionwise/view', { method: 'POST', body, headers });
        expect([isRead, response.status]).toEqual([isRead, 204]);
      }
    });
  });

  it('goes with middlewares that make another answer of it', async () => {
    const app = new Hono<SessionwiseEnv>();
    const sw = make();
    app.use(compress()).use(sw.session()).use(sw.knowledge());
    app.get('/', async (c) => c.text(`${await c.var.session.increment('n')} `.repeat(2_000)));
    const site = await listen(app);
    onTestFinished(() => site.close());
    const visitor = new Visitor(site, COOKIES);
    const { status, header, setCookies, visitorCookies } = await visitor.get('/', { 'accept-encoding': 'gzip' });
    expect([status, header('content-encoding'), setCookies.length, visitorCookies.length]).toEqual([200, 'gzip', 1, 1]);
    expect((await visitor.get('/')).text).toMatch(/^2 2 /);
  });
});

function requestOf(c: Context): SiteRequest {
  return {
    get sessionwise() {
      return c.get('sessionwise');
    },
    get session() {
      return c.get('session');
    },
  } as SiteRequest;
}

// biome-ignore lint/suspicious/noExplicitAny: applications of any variables.
async function listen(app: Hono<any>): Promise<{ url: string; close(): Promise<void> }> {
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
