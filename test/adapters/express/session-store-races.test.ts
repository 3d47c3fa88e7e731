import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SessionStore, SessionStoreOptions } from '../../../src/adapters/express/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { fieldsIn, fieldsOf, type ServedStore, type SetUp, serveStore, Visitor } from './session-store-stage.suite.ts';

describe.each<[string, Partial<SessionStoreOptions>]>([
  ['plain', {}],
  ['encrypted', { encryption: { keys: [randomBytes(32)] } }],
])('parallel requests in Express, %s', (_, kept) => {
  let server: TestRedis;
  const served: ServedStore[] = [];

  const pages: SetUp = (app) => {
    app.get('/set/:name/:value', (request, response) => {
      fieldsIn(request)[request.params.name] = request.params.value;
      response.send('set');
    });
    app.get('/fields', (request, response) => {
      response.json(fieldsOf(request.session));
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
  };

  /** Until what was asked is on its way, and before Redis can have answered: that takes a turn of the event loop. */
  async function sent(): Promise<void> {
    for (let i = 0; i < 2; i += 1) await new Promise<void>((resolve) => process.nextTick(resolve));
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

  test('a list that is changed inside while an append is under way keeps both', async () => {
    const visitor = await visit(await serve());
    const expected = { cart: [{ qty: 2 }, 'x', 'y', 'z'], fresh: ['x', 'y'] };
    expect(await visitor.json('/changed-inside')).toEqual(expected);
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', ...expected });
  });

  test('a save beside or after an end brings nothing back, 1,000 times: with what was loaded, with a copy of it, with what was generated', async () => {
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
