import fastifyCookie from '@fastify/cookie';
import Fastify from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type BrowserScript,
  browserScript,
  createSessionwise,
  type Sessionwise,
} from '../../../src/adapters/fastify/index.ts';
import { personOf } from '../../../src/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { type SiteRequest, testCreateSessionwise } from '../create-sessionwise.suite.ts';
import { USER_AGENT } from '../suite/adapter-site.ts';

const SITE_SECRET = 'a secret of the tests, and long enough';

testCreateSessionwise<Sessionwise>({
  name: 'Fastify',
  cookieName: 'sessionId',
  create: createSessionwise,
  async open(sw, pages, session = {}) {
    const app = Fastify({ forceCloseConnections: true, trustProxy: true });
    if (session) app.register(sw.session, { secret: SITE_SECRET, ...session });
    const user = (request: { headers: Record<string, unknown> }): string | undefined =>
      request.headers['x-user'] as string | undefined;
    app.register(sw.knowledge, session ? {} : { user });
    app.get<{ Params: { name: string } }>('/:name', async (request, reply) => {
      const result = await pages[request.params.name]!(request as unknown as SiteRequest);
      return reply.type('application/json').send(JSON.stringify(result ?? null));
    });
    return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
  },
});

describe('the plugins of createSessionwise', () => {
  const server = useRedis({ eachTest: 'kept' });
  const make = (): Sessionwise => {
    const sw = createSessionwise({ redis: server.url });
    onTestFinished(() => sw.close());
    return sw;
  };

  it.each<[string, 'session' | 'knowledge', object, RegExp]>([
    ['no secret', 'session', {}, /sw\.session needs secret, which signs the cookies/],
    ['a store', 'session', { secret: SITE_SECRET, store: {} }, /the store is that of this object/],
    [
      'an option of the cookie',
      'session',
      { secret: SITE_SECRET, maxAge: 7 },
      /"maxAge": it belongs to the cookie: cookie: \{ maxAge/,
    ],
    [
      'an option of the store',
      'session',
      { secret: SITE_SECRET, idleMs: 7 },
      /"idleMs": it belongs to the store: createS.*\{ idleMs/,
    ],
    [
      'an option of all',
      'session',
      { secret: SITE_SECRET, redis: '' },
      /"redis": give createSessionwise\(\{ redis \}\) itself/,
    ],
    ['express-session’s names', 'session', { secret: SITE_SECRET, genid() {} }, /calls it `idGenerator`/],
    ['a misspelt name', 'session', { secret: SITE_SECRET, cokie: {} }, /did you mean "cookie"/],
    ['a client', 'knowledge', { client: {} }, /leave client out/],
    ['a misspelt name', 'knowledge', { pageviews: 'off' }, /sw\.knowledge knows no option "pageviews"/],
  ])('refuse %s', async (_, plugin, options, sentence) => {
    const app = Fastify();
    onTestFinished(() => app.close());
    app.register(make()[plugin] as Sessionwise['session'], options as never);
    await expect(app.ready()).rejects.toThrow(sentence);
  });

  it('hold where they are registered, and take a registered @fastify/cookie as it is', async () => {
    const sw = make();
    const app = Fastify();
    onTestFinished(() => app.close());
    await app.register(fastifyCookie, { secret: 'of the cookies' });
    await app.register(sw.session, { secret: SITE_SECRET, prefix: '/ignored' });
    await app.register(sw.knowledge);
    expect(app.hasRequestDecorator('session')).toBe(true);
    expect(app.hasRequestDecorator('sessionwise')).toBe(true);
    app.get('/', async (request) => ({ views: await request.session.increment('views'), id: request.sessionwise.id }));
    const { statusCode, body } = await app.inject({ url: '/', headers: { 'user-agent': USER_AGENT } });
    expect([statusCode, JSON.parse(body)]).toEqual([200, { views: 1, id: expect.any(String) }]);
  });

  it('keep sessions in a part of the site, with knowledge of all of it', async () => {
    const sw = make();
    const app = Fastify();
    onTestFinished(() => app.close());
    app.register(sw.knowledge);
    app.register(async (part) => {
      await part.register(sw.session, { secret: SITE_SECRET });
      part.get('/part', async (request) => request.session.increment('views'));
      part.get('/login', async (request) => {
        await request.session.identify('ada');
        return request.sessionwise.id;
      });
      part.get('/who', async (request) => request.sessionwise.id);
    });
    app.get('/', async (request) => 'session' in request && request.session !== undefined);
    expect((await app.inject('/part')).body).toBe('1');
    expect((await app.inject('/')).body).toBe('false');
    const headers = { 'user-agent': USER_AGENT };
    const login = await app.inject({ url: '/login', headers });
    const { name, value } = login.cookies.find((cookie) => cookie.name === 'sessionId')!;
    const again = await app.inject({ url: '/who', headers, cookies: { [name]: value } });
    expect([login.body, again.body]).toEqual([personOf('ada'), personOf('ada')]);
  });

  it('serve the script for pages below the prefix of a part of the site, and refuse one that lies elsewhere', async () => {
    const sw = make();
    const open = (script: BrowserScript) => {
      const app = Fastify();
      onTestFinished(() => app.close());
      app.register(async (shop) => void (await shop.register(sw.knowledge, { script })), { prefix: '/shop' });
      return app;
    };
    const script = browserScript({ path: '/shop/sessionwise/' });
    expect((await open(script).inject(script.src)).statusCode).toBe(200);
    const message = { view: '/shop/a', once: 'a' };
    const headers = { 'user-agent': USER_AGENT, 'sec-fetch-site': 'same-origin', 'content-type': 'text/plain' };
    const sent = open(script).inject({
      method: 'POST',
      url: '/shop/sessionwise/view',
      headers,
      payload: JSON.stringify(message),
    });
    expect((await sent).statusCode).toBe(204);
    await expect(open(browserScript()).ready()).rejects.toThrow(/lies under \/shop here: give browserScript/);
  });

  it('look after sessions without knowledge too: a session rotates', async () => {
    const app = Fastify();
    onTestFinished(() => app.close());
    await app.register(make().session, { secret: SITE_SECRET });
    app.get('/', async (request) => {
      await request.session.increment('views');
      const before = request.session.sessionId;
      await request.session.rotate();
      return { isAnother: request.session.sessionId !== before };
    });
    const { body } = await app.inject('/');
    expect(JSON.parse(body)).toEqual({ isAnother: true });
  });
});
