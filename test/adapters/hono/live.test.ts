import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSessionwise, type Sessionwise, type SessionwiseEnv } from '../../../src/adapters/hono/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { type LivePageRequest, type LiveSite, testLive } from '../live.suite.ts';
import { USER_AGENT } from '../suite/adapter-site.ts';

testLive<Sessionwise>({
  name: 'Hono',
  cookieName: 'sid',
  create: createSessionwise,
  async open(sw, pages, { live, knowledge = {} }): Promise<LiveSite> {
    const app = new Hono<SessionwiseEnv>();
    app.onError((error, c) => c.text(error.message, 500));
    // The functions of the tests take headers as Node has them.
    const given = Object.entries(knowledge).map(([name, value]) => [
      name,
      typeof value === 'function'
        ? (c: { env: { incoming: never } }) => (value as (request: never) => unknown)(c.env.incoming)
        : value,
    ]);
    app.use(sw.session());
    app.use(sw.knowledge(Object.fromEntries(given)));
    app.use('/live/*', sw.live(live));
    app.get('/:name', async (c) => {
      const page = {
        get sessionwise() {
          return c.get('sessionwise');
        },
        get session() {
          return c.get('session');
        },
        end: () => c.get('session').destroy(),
        regenerate: () => c.get('session').regenerate(),
      };
      return c.json((await pages[c.req.param('name')]!(page as unknown as LivePageRequest)) ?? null);
    });
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
    await once(server, 'listening');
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async closeServer() {
        if (!server.listening) return;
        server.close();
        await once(server, 'close');
      },
    };
  },
});

describe('sw.live() of Hono', () => {
  const server = useRedis({ eachTest: 'kept' });

  it.each<[string, object, RegExp]>([
    ['a misspelt name', { maxStream: 1 }, /did you mean "maxStreams"/],
    ['an option of knowledge', { user: () => 'a' }, /"user": it belongs to sw\.knowledge/],
    ['a path', { path: '/live/' }, /its path is where it is mounted/],
  ])('refuses %s', (_, options, sentence) => {
    const sw = createSessionwise({ redis: server.url });
    onTestFinished(() => sw.close());
    expect(() => sw.live(options)).toThrow(sentence);
  });

  it('says which server it needs', async () => {
    const sw = createSessionwise({ redis: server.url });
    onTestFinished(() => sw.close());
    const app = new Hono();
    app.onError((error, c) => c.text(error.message, 500));
    app
      .use(sw.knowledge())
      .use('/live/*', sw.live())
      .get('/', (c) => c.text('page'));
    const headers = { 'user-agent': USER_AGENT };
    const [cookie] = (await app.request('/', { headers })).headers.getSetCookie();
    const response = await app.request('/live/', { headers: { ...headers, cookie: cookie!.split(';')[0]! } });
    expect(await response.text()).toMatch(/serve the site by @hono\/node-server/);
  });
});
