import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import Koa, { type DefaultState } from 'koa';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createSessionwise,
  type Sessionwise,
  type SessionwiseContext,
  type WebSessionOptions,
} from '../../../src/adapters/koa/index.ts';
import { createToken } from '../../../src/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { type SiteRequest, testCreateSessionwise } from '../create-sessionwise.suite.ts';
import { USER_AGENT, Visitor } from '../suite/adapter-site.ts';
import { testWebObject } from '../web/web-object.suite.ts';

const COOKIES = { name: 'sid', tokenIn: () => '', sign: () => '' };

testCreateSessionwise<Sessionwise>({
  name: 'Koa',
  cookieName: 'sid',
  create: createSessionwise,
  async open(sw, pages, session = {}) {
    const app = new Koa();
    app.proxy = true;
    if (session) app.use(sw.session(session));
    app.use(sw.knowledge(session ? {} : { user: (ctx) => ctx.get('x-user') || undefined }));
    app.use(async (ctx) => {
      const result = await pages[ctx.path.slice(1)]!(ctx as unknown as SiteRequest);
      ctx.body = JSON.stringify(result ?? null);
    });
    return listen(app);
  },
});

testWebObject('Koa', createSessionwise);

describe('Koa', () => {
  const server = useRedis({ eachTest: 'kept' });
  const begin = async (
    handler: (ctx: SessionwiseContext<{ cart?: string[] }> & Koa.Context) => unknown,
    session: WebSessionOptions = { cookie: { name: 'sid' } },
  ): Promise<{ sw: Sessionwise; visitor: Visitor; url: string }> => {
    const sw = createSessionwise({ redis: server.url });
    const app = new Koa<DefaultState, SessionwiseContext<{ cart?: string[] }>>();
    app.silent = true;
    app.use(sw.session(session)).use(sw.knowledge());
    app.use(async (ctx) => handler(ctx as never));
    const site = await listen(app as never);
    onTestFinished(async () => {
      await site.close();
      await sw.close();
    });
    return { sw, visitor: new Visitor(site, COOKIES), url: site.url };
  };

  it('keeps the cookies of a request that fails, though Koa drops the headers of such answers', async () => {
    const { visitor } = await begin(async (ctx) => {
      if (ctx.path === '/read') {
        ctx.body = JSON.stringify(ctx.session.cart ?? null);
        return;
      }
      ctx.set('x-page', 'dropped');
      await ctx.session.rotate();
      ctx.session.cart = ['lamp'];
      ctx.throw(500, 'of the page');
    });
    const answer = await visitor.get('/fails');
    expect([answer.status, answer.header('x-page'), answer.setCookies.length]).toEqual([500, null, 1]);
    expect(answer.visitorCookies).toHaveLength(1);
    expect(await visitor.page('/read')).toEqual(['lamp']);
  });

  it('renews no cookie on an answer that shared caches keep, which would give the session to everybody', async () => {
    const { visitor } = await begin(
      (ctx) => {
        if (ctx.path === '/begin') ctx.session.cart = ['lamp'];
        if (ctx.path === '/shared') ctx.set('Cache-Control', 'public, max-age=600');
        ctx.body = JSON.stringify(ctx.session.cart ?? null);
      },
      { rolling: true, cookie: { maxAge: 3_600_000 } },
    );
    expect((await visitor.get('/begin')).setCookies).toHaveLength(1);
    expect((await visitor.get('/own')).setCookies).toHaveLength(1);
    expect((await visitor.get('/shared')).setCookies).toEqual([]);
    expect(await visitor.page('/own')).toEqual(['lamp']);
  });

  it('saves before the head of a streamed answer', async () => {
    const { sw, visitor } = await begin(async (ctx) => {
      ctx.session.cart = ['lamp'];
      const body = new PassThrough();
      ctx.body = body;
      body.write('first, ');
      setImmediate(() => body.end('second'));
    });
    const { text, setCookies } = await visitor.get('/');
    expect([text, setCookies.length]).toEqual(['first, second', 1]);
    expect(await sw.store.get(visitor.cookie!.slice('sid='.length))).toMatchObject({ cart: ['lamp'] });
  });

  it('answers HEAD with the session’s cookie and no body', async () => {
    const { url } = await begin((ctx) => {
      ctx.session.cart = ['lamp'];
      ctx.body = 'page';
    });
    const response = await fetch(url, { method: 'HEAD', headers: { 'user-agent': USER_AGENT } });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(response.headers.getSetCookie().map((line) => line.split('=')[0])).toEqual(['sid']);
  });

  it('has no session where none is mounted, and says so where one is asked for', async () => {
    const sw = createSessionwise({ redis: server.url });
    onTestFinished(() => sw.close());
    await expect(sw.store.destroy({} as never)).rejects.toThrow(/sw\.session was not mounted before/);
    expect(await sw.store.get(createToken())).toBeUndefined();
  });
});

async function listen(app: Koa): Promise<{ url: string; close(): Promise<void> }> {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
