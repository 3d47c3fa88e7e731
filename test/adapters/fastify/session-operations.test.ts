import type { FastifyRequest } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SessionStore } from '../../../src/adapters/fastify/index.ts';
import { sessionOf } from '../../../src/protocol/index.ts';
import { recordOf } from '../../../src/sessions/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { fieldsOf, Sites } from './fastify-stage.ts';

let server: TestRedis;
let sites: Sites;

beforeAll(async () => {
  server = await startTestRedis();
  sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
});
afterAll(async () => {
  await server?.stop();
});
afterEach(() => sites.close());

describe('the operations of a request', () => {
  it('change fields in one step, and the session follows', async () => {
    const site = await sites.open({
      routes: (app, store) => {
        app.get('/work', async (request) => {
          const count = await store.increment(request, 'count');
          const tags = await store.append(request, 'tags', 'a', 'b');
          const { version } = store.info(request)!;
          const first = await store.setIf(request, version, { theme: 'dark', tags: undefined });
          const second = await store.setIf(request, version, { theme: 'light' });
          return { count, tags, first: first.applied, second: second.applied, now: { ...request.session } };
        });
      },
    });
    const browser = site.browser();
    expect((await browser.get('/work')).body).toMatchObject({ count: 1, tags: ['a', 'b'], first: true, second: false });
    const { body } = await browser.get('/work');
    expect(body).toMatchObject({ count: 2, now: { count: 2, theme: 'dark' } });
    expect(body.now).not.toHaveProperty('tags');
    expect(site.store.data.valuesOf((await site.store.data.load(browser.token))!)).toMatchObject({
      count: 2,
      theme: 'dark',
    });
  });

  it('count 50 of 50 increments at the same time', async () => {
    const site = await sites.open({
      routes: (app, store) => {
        app.get('/count', async (request) => ({ count: await store.increment(request, 'count', 2) }));
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    await Promise.all(Array.from({ length: 50 }, () => site.browser(browser.cookie).get('/count')));
    expect((await browser.get('/count')).body).toEqual({ count: 102 });
  });

  it('keep plain changes of the same fields, before them and beside them', async () => {
    const site = await sites.open({
      routes: (app, store) => {
        app.get('/mixed', async (request) => {
          const fields = fieldsOf(request) as { n: number; list: unknown[]; plan?: unknown };
          const sums = [await store.increment(request, 'n')];
          fields.n += 10;
          sums.push(await store.increment(request, 'n'));
          await store.append(request, 'list', 'a');
          fields.list.push('b');
          const list = await store.append(request, 'list', 'c');
          fields.plan = 'plain';
          const { applied } = await store.setIf(request, store.info(request)!.version, { plan: 'set' });
          fields.n += 100;
          return { sums, list, applied, plan: fields.plan };
        });
        app.get('/unawaited', async (request) => {
          const fields = fieldsOf(request) as { n: number; list: unknown[] };
          const under = [store.increment(request, 'n'), store.append(request, 'list', 'x')];
          fields.n += 10;
          fields.list.push('y');
          under.push(store.increment(request, 'n'), store.append(request, 'list', 'z'));
          Promise.all(under as Promise<unknown>[]).catch((error: Error) => expect.unreachable(error.message));
          return {};
        });
        app.get('/fields', async (request) => ({ n: fieldsOf(request).n, list: fieldsOf(request).list }));
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    expect((await browser.get('/mixed')).body).toEqual({
      sums: [1, 12],
      list: ['a', 'b', 'c'],
      applied: true,
      plan: 'set',
    });
    expect((await browser.get('/fields')).body).toEqual({ n: 112, list: ['a', 'b', 'c'] });
    await browser.get('/unawaited');
    const { n, list } = (await browser.get('/fields')).body as { n: number; list: string[] };
    // An operation begins when the one before it is done, so y may come before x.
    expect([n, ...list.sort()]).toEqual([124, 'a', 'b', 'c', 'x', 'y', 'z']);
  });

  it('before a rotation that does not wait for them, and behind one that is not waited for, all count', async () => {
    const site = await sites.open({
      routes: (app, store) => {
        app.get('/before', async (request) => {
          const under = [store.increment(request, 'n'), store.identify(request, 'ada'), store.increment(request, 'n')];
          Promise.all<unknown>(under).catch((error: Error) => expect.unreachable(error.message));
          await store.rotate(request);
          return {};
        });
        app.get('/behind', async (request) => {
          fieldsOf(request).plain = 'beside';
          const under: Promise<unknown>[] = [store.rotate(request), store.increment(request, 'n')];
          under.push(store.rotate(request), store.identify(request, 'grace'), store.append(request, 'list', 'x'));
          await Promise.all(under);
          return {};
        });
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    const now = async () => (await site.store.data.load(browser.token))!;
    await browser.get('/before');
    expect(recordOf(await now()).values(0)).toMatchObject({ n: 2 });
    expect(recordOf(await now()).userId).toBe('ada');
    await browser.get('/behind');
    expect(recordOf(await now()).values(0)).toMatchObject({ user: 'ada', n: 3, plain: 'beside', list: ['x'] });
    expect(recordOf(await now()).userId).toBe('grace');
  });

  it('count 50 of 50 plain changes and increments at the same time with integerDeltas', async () => {
    const site = await sites.open({
      store: { integerDeltas: ['n'] },
      routes: (app, store) => {
        app.get('/add', async (request) => {
          const fields = fieldsOf(request) as { n?: number };
          fields.n = (fields.n ?? 0) + 10;
          return { sum: await store.increment(request, 'n') };
        });
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    await Promise.all(Array.from({ length: 50 }, () => site.browser(browser.cookie).get('/add')));
    expect(site.store.data.valuesOf((await site.store.data.load(browser.token))!)).toMatchObject({ n: 550 });
  });

  it('identify lists the session among the user’s', async () => {
    const site = await sites.open({
      routes: (app, store) => {
        app.get('/identify', async (request) => {
          await store.identify(request, 'user-7');
          return { ...store.info(request) };
        });
      },
    });
    const browser = site.browser();
    const { body } = await browser.get('/identify', { 'user-agent': 'X/1 (X11; Linux) Firefox/140.0' });
    expect(body).toMatchObject({ session: sessionOf(browser.token), userId: 'user-7', byPreviousSecret: false });
    expect(await site.store.data.sessionsOf('user-7')).toMatchObject([
      { session: sessionOf(browser.token), device: 'Firefox on Linux' },
    ]);
  });

  it.each([
    ['identify', (store: SessionStore, request: FastifyRequest) => store.identify(request, 'user-8')],
    ['increment', (store: SessionStore, request: FastifyRequest) => store.increment(request, 'count')],
    ['rotate', (store: SessionStore, request: FastifyRequest) => store.rotate(request)],
  ] as const)('begin a session with its cookie, where nothing else does: %s', async (_, work) => {
    const site = await sites.open({
      session: { rolling: false, saveUninitialized: false },
      routes: (app, store) => {
        app.get('/work', async (request) => {
          await work(store, request);
          return {};
        });
      },
    });
    const browser = site.browser();
    expect((await browser.get('/me')).setCookies).toEqual([]);
    expect((await browser.get('/work')).setCookies).toHaveLength(1);
    expect(await site.store.data.isCurrent(browser.token)).toBe(true);
    expect((await browser.get('/me')).setCookies).toEqual([]);
  });

  it('need a session', async () => {
    const site = await sites.open({ session: { cookie: { secure: false, path: '/only' } } });
    site.store.on('store:down', (error) => expect.unreachable(error.message));
    const request = { session: {}, headers: {} } as never;
    await expect(site.store.increment(request, 'count')).rejects.toThrow('register @fastify/session');
    expect(site.store.info(request)).toBeUndefined();
    expect(site.store.isDegraded(request)).toBe(false);
  });
});
