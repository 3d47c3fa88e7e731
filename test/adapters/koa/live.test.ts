import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSessionwise, type Sessionwise } from '../../../src/adapters/koa/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { type LivePageRequest, type LiveSite, testLive } from '../live.suite.ts';

testLive<Sessionwise>({
  name: 'Koa',
  cookieName: 'sid',
  create: createSessionwise,
  async open(sw, pages, { live, knowledge = {} }): Promise<LiveSite> {
    const app = new Koa();
    app.silent = true;
    app.use(sw.session());
    app.use(sw.knowledge(knowledge as object));
    app.use(sw.live(live));
    app.use(async (ctx) => {
      const page = Object.assign(ctx, {
        end: () => ctx.session.destroy(),
        regenerate: () => ctx.session.regenerate(),
      });
      const result = await pages[ctx.path.slice(1)]!(page as unknown as LivePageRequest);
      ctx.body = JSON.stringify(result ?? null);
    });
    const server = createServer(app.callback()).listen(0, '127.0.0.1');
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

describe('sw.live() of Koa', () => {
  const server = useRedis({ eachTest: 'kept' });
  it.each<[string, object, RegExp]>([
    ['a path of another form', { path: 'live' }, /path "live" cannot be used: give one like "\/live\/"/],
    ['a misspelt name', { maxStream: 1 }, /did you mean "maxStreams"/],
    ['an option of knowledge', { user: () => 'a' }, /"user": it belongs to sw\.knowledge/],
  ])('refuses %s', (_, options, sentence) => {
    const sw = createSessionwise({ redis: server.url });
    onTestFinished(() => sw.close());
    expect(() => sw.live(options)).toThrow(sentence);
  });
});
