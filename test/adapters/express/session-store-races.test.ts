import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SessionStore, SessionStoreOptions } from '../../../src/adapters/express/index.ts';
import { SessionLimitError } from '../../../src/sessions/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import {
  fieldsIn,
  fieldsOf,
  type ServedStore,
  type SetUp,
  serveStore,
  tokenIn,
  Visitor,
} from './session-store-stage.suite.ts';

describe.each<[string, Partial<SessionStoreOptions>]>([
  ['plain', {}],
  ['encrypted', { encryption: { keys: [randomBytes(32)] } }],
])('parallel requests in Express, %s', (_, kept) => {
  let server: TestRedis;
  const served: ServedStore[] = [];
  let waiting: (() => void)[] = [];

  const pages: SetUp = (app) => {
    app.get('/set/:name/:value', (request, response) => {
      fieldsIn(request)[request.params.name] = request.params.value;
      response.send('set');
    });
    app.get('/fields', (request, response) => {
      response.json(fieldsOf(request.session));
    });
    // All of them have loaded the session before the first one saves.
    app.get('/together/:name/of/:count', async (request, response) => {
      await together(Number(request.params.count));
      fieldsIn(request)[request.params.name] = [];
      response.send('set');
    });
    app.get('/increment/:count', async (request, response) => {
      await together(Number(request.params.count));
      response.json(await request.session.increment('n'));
    });
    // What a reader of the code expects: 12, 1 of 2, 5.
    app.get('/mixed', async (request, response) => {
      const { session } = request;
      const fields = fieldsIn(request) as { n: number; list: unknown[]; plan?: unknown; gone?: unknown };
      const sums = [await session.increment('n')];
      fields.n += 10;
      sums.push(await session.increment('n'));
      const lists = [[...(await session.append('list', 'a'))]];
      fields.list.push('b');
      lists.push(await session.append('list', 'c'));
      fields.plan = 'plain';
      const { applied } = await session.setIf(session.info()!.version, { plan: 'set' });
      fields.gone = 7;
      await session.setIf(session.info()!.version, { gone: undefined });
      const before = { ...fieldsOf(session) };
      fields.n += 100;
      response.json({ sums, lists, applied, before });
    });
    app.get('/unawaited', (request, response) => {
      const { session } = request;
      const fields = fieldsIn(request) as { n: number; list: unknown[]; text: unknown };
      const under = [session.increment('n'), session.append('list', 'x'), session.setIf(session.info()!.version, {})];
      fields.n += 10;
      fields.list.push('y');
      under.push(session.increment('n'), session.increment('n'), session.append('list', 'z'));
      // Nobody waits for them before the answer.
      response.send('sent');
      Promise.all(under).catch((error: Error) => expect.unreachable(error.message));
    });
    app.get('/changed-inside', async (request, response) => {
      const { session } = request;
      const fields = fieldsIn(request) as { cart: { qty: number }[]; fresh?: unknown[] };
      fields.cart = [{ qty: 1 }, { qty: 1 }];
      const under = [session.append('cart', 'x', 'y'), session.append('fresh', 'x')];
      await sent();
      fields.cart[0]!.qty = 2;
      await Promise.all(under);
      const { cart } = fields;
      under.push(session.append('cart', 'z'), session.append('fresh', 'y'));
      await sent();
      cart.splice(1, 1);
      await Promise.all(under);
      response.json({ cart: fields.cart, fresh: fields.fresh });
    });
    app.get('/before-rotation', async (request, response) => {
      const { session } = request;
      fieldsIn(request).plain = 'before';
      const under = [session.increment('n'), session.append('list', 'x'), session.setIf(session.info()!.version, {})];
      under.push(session.identify('ada'), session.increment('n'));
      // Nobody waits for them before the rotation.
      Promise.all(under).catch((error: Error) => expect.unreachable(error.message));
      await session.rotate();
      response.json({});
    });
    app.get('/behind-rotation', async (request, response) => {
      const { session } = request;
      fieldsIn(request).plain = 'beside';
      const under: Promise<unknown>[] = [session.rotate(), session.increment('n'), session.append('list', 'y')];
      under.push(session.rotate(), session.identify('grace'), session.increment('n'));
      await Promise.all(under);
      Object.assign(session, { late: fieldsIn(request).n });
      response.json({});
    });
    app.get('/add/:count', async (request, response) => {
      await together(Number(request.params.count));
      const fields = fieldsIn(request) as { n?: number };
      fields.n = (fields.n ?? 0) + 10;
      response.json(await request.session.increment('n'));
    });
    app.get('/append/:value', async (request, response) => {
      response.json(await request.session.append('list', request.params.value));
    });
    app.get('/set-if/:value', async (request, response) => {
      const { version } = request.session.info()!;
      await together(50);
      response.json(await request.session.setIf(version, { winner: request.params.value }));
    });
    app.get('/slow/:count', async (request, response) => {
      await together(Number(request.params.count));
      fieldsIn(request).user = 'logged in again';
      response.send('late');
    });
    app.get('/logout/:count', async (request, response, next) => {
      await together(Number(request.params.count));
      request.session.destroy((error) => (error ? next(error) : response.send('bye')));
    });
    app.get('/identify/:user', async (request, response) => {
      response.json(await request.session.identify(request.params.user));
    });
  };

  /** Until what was asked is on its way, and before Redis can have answered: that takes a turn of the event loop. */
  async function sent(): Promise<void> {
    for (let i = 0; i < 2; i += 1) await new Promise<void>((resolve) => process.nextTick(resolve));
  }

  /** Settles for all when `count` wait. */
  function together(count: number): Promise<void> {
    return new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length < count) return;
      for (const proceed of waiting) proceed();
      waiting = [];
    });
  }

  const serve = async (options: Partial<SessionStoreOptions> = {}): Promise<ServedStore> => {
    const one = await serveStore({ redis: server.url, ...kept, ...options }, {}, pages);
    served.push(one);
    return one;
  };
  const visit = async (app: ServedStore): Promise<Visitor> => {
    const visitor = new Visitor(app);
    await visitor.text('/set/name/ada');
    return visitor;
  };
  const times = <Result>(count: number, work: (i: number) => Promise<Result>): Promise<Result[]> =>
    Promise.all(Array.from({ length: count }, (_, i) => work(i)));

  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(async () => {
    await Promise.all(served.map((one) => one.stop()));
    await server.stop();
  });

  test('100 requests, each with its own field, all loaded before the first save: 100 kept', async () => {
    const visitor = await visit(await serve());
    await times(100, (i) => visitor.text(`/together/f${i}/of/100`));
    const expected = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, []]));
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', ...expected });
  });

  test('the same over two processes', async () => {
    const [one, other] = [await serve(), await serve()];
    const visitor = await visit(one);
    const elsewhere = new Visitor(other, visitor.cookie);
    await times(40, (i) => (i % 2 ? elsewhere : visitor).text(`/together/f${i}/of/40`));
    expect(Object.keys((await visitor.json('/fields')) as object)).toHaveLength(41);
  });

  test('100 increments: 100, and the requests that made them do not undo them', async () => {
    const visitor = await visit(await serve());
    const sums = (await times(100, () => visitor.json('/increment/100'))) as number[];
    expect(sums.sort((one, other) => one - other)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', n: 100 });
  });

  test('plain changes between operations on the same fields count', async () => {
    const visitor = await visit(await serve());
    expect(await visitor.json('/mixed')).toEqual({
      sums: [1, 12],
      lists: [['a'], ['a', 'b', 'c']],
      applied: true,
      before: { name: 'ada', n: 12, list: ['a', 'b', 'c'], plan: 'set' },
    });
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', n: 112, list: ['a', 'b', 'c'], plan: 'set' });
  });

  test('operations that nobody waits for, plain changes beside them, and the save at the end: all count', async () => {
    const visitor = await visit(await serve());
    await visitor.json('/mixed');
    await visitor.text('/unawaited');
    const { n, list } = (await visitor.json('/fields')) as { n: number; list: string[] };
    // An operation begins when the one before it is done, so y may come before x.
    expect([n, ...list.sort()]).toEqual([125, 'a', 'b', 'c', 'x', 'y', 'z']);
  });

  test('a list that is changed inside while an append is under way keeps both', async () => {
    const visitor = await visit(await serve());
    const expected = { cart: [{ qty: 2 }, 'x', 'y', 'z'], fresh: ['x', 'y'] };
    expect(await visitor.json('/changed-inside')).toEqual(expected);
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', ...expected });
  });

  test('a rotation waits for the operations before it, and those behind it go on with what it gave', async () => {
    const app = await serve();
    const visitor = await visit(app);
    const user = async () => app.store.data.infoOf((await app.store.data.load(tokenIn(visitor.cookie)))!).userId;
    await visitor.json('/before-rotation');
    expect(visitor.cookiesSet).toBe(2);
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', plain: 'before', n: 2, list: ['x'] });
    expect(await user()).toBe('ada');
    await visitor.json('/behind-rotation');
    expect(visitor.cookiesSet).toBe(3);
    const expected = { name: 'ada', plain: 'beside', n: 4, list: ['x', 'y'], late: 4 };
    expect(await visitor.json('/fields')).toEqual(expected);
    expect(await user()).toBe('grace');
  });

  test('50 requests that change a sum and increment it at the same time: all count with integerDeltas', async () => {
    const visitor = await visit(await serve({ integerDeltas: ['n'] }));
    const sums = (await times(50, () => visitor.json('/add/50'))) as number[];
    expect(sums.sort((one, other) => one - other)).toEqual(Array.from({ length: 50 }, (_, i) => (i + 1) * 11));
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', n: 550 });
  });

  test('100 appends: all are there, each once', async () => {
    const visitor = await visit(await serve());
    await times(100, (i) => visitor.json(`/append/${i}`));
    const { list } = (await visitor.json('/fields')) as { list: string[] };
    expect(list.map(Number).sort((one, other) => one - other)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test('setIf: one of 50 wins', async () => {
    const visitor = await visit(await serve());
    const outcomes = (await times(50, (i) => visitor.json(`/set-if/${i}`))) as { applied: boolean }[];
    const winners = outcomes.flatMap(({ applied }, i) => (applied ? [String(i)] : []));
    expect(winners).toHaveLength(1);
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', winner: winners[0] });
  });

  test('a slow request that ends beside or after the logout logs nobody in: 100 visitors over HTTP', async () => {
    const app = await serve();
    for (let i = 0; i < 100; i += 1) {
      const visitor = await visit(app);
      const token = tokenIn(visitor.cookie);
      const work = [
        () => new Visitor(app, visitor.cookie).get('/slow/2'),
        () => new Visitor(app, visitor.cookie).get('/logout/2'),
      ];
      if (i % 2) work.reverse();
      const [one, other] = await Promise.all(work.map((request) => request()));
      expect([one!.status, other!.status]).toEqual([200, 200]);
      expect(await app.store.get(token)).toBeNull();
    }
  });

  test('the same 1,000 times at the store: with what was loaded, with a copy of it, with what was generated', async () => {
    const { store } = await serve();
    for (let round = 0; round < 20; round += 1) {
      await times(50, async (i) => {
        const token = store.genid();
        await store.set(token, { cookie: { originalMaxAge: null }, a: 1 } as never);
        const loaded = (await store.get(token))!;
        const copy = { ...loaded };
        const work = [
          () => store.destroy(token),
          () => store.set(token, Object.assign(loaded, { user: 'again' })),
          () => store.set(token, Object.assign(copy, { user: 'again' })),
          () => store.touch(token, loaded),
        ];
        const begin = (round + i) % work.length;
        await Promise.all([...work.slice(begin), ...work.slice(0, begin)].map((operation) => operation()));
        expect(await store.get(token)).toBeNull();
        await store.set(token, loaded);
        await store.set(token, copy);
        expect(await store.get(token)).toBeNull();
      });
    }
  });

  test('a request without a saved session can increment, append and identify at once', async () => {
    const app = await serve();
    for (const path of ['/increment/1', '/append/x', '/identify/ada']) {
      const visitor = new Visitor(app);
      await visitor.json(path);
      expect(visitor.cookiesSet).toBe(1);
      expect(await app.store.get(tokenIn(visitor.cookie))).not.toBeNull();
    }
  });

  test('identify lists the device of the User-Agent header, and the limit is an error of the request', async () => {
    const app = await serve({ maxSessionsPerUser: 1, namespace: 'limited' });
    const [one, other] = [await visit(app), await visit(app)];
    expect(await one.json('/identify/grace')).toEqual([]);
    const [listed] = await app.store.data.sessionsOf('grace');
    expect(listed!.device).toMatch(/^(node|undici)/);
    const refused = await other.get('/identify/grace');
    expect(refused.status).toBe(409);
    expect(app.errors[0]).toBeInstanceOf(SessionLimitError);
    expect(await other.json('/fields')).toEqual({ name: 'ada' });
  });

  test('methods without a session say so', async () => {
    const { store } = await serve();
    const none = {} as Parameters<SessionStore['rotate']>[0];
    for (const operation of [
      async () => store.rotate(none),
      async () => store.increment(none, 'n'),
      async () => store.identify(none, 'ada'),
    ]) {
      await expect(operation()).rejects.toThrow(/no session/);
    }
    expect(store.info(none)).toBeUndefined();
    expect(store.isDegraded(none)).toBe(false);
  });
});
