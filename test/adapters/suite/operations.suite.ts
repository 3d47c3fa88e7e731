import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sessionOf } from '../../../src/protocol/index.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import { fieldsOf, Gate, type Page, type PageContext, type Pages } from './adapter-site.ts';

type Fields = { n: number; list: unknown[]; plan?: unknown; gone?: unknown };

const pages: Pages = {
  set: ({ session }, name, value) => {
    session[name!] = value;
  },
  fields: ({ session }) => fieldsOf(session),
  info: ({ session }) => session.info() ?? null,
  increment: ({ session }) => session.increment('n'),
  append: ({ session }, value) => session.append('list', value),
  identify: ({ session }, user) => session.identify(user!),
  rotate: ({ session }) => session.rotate(),
  // What a reader of the code expects: 12, 1 of 2, 5.
  mixed: async ({ session }) => {
    const fields = session as unknown as Fields;
    const sums = [await session.increment('n')];
    fields.n += 10;
    sums.push(await session.increment('n'));
    const lists = [[...(await session.append('list', 'a'))]];
    fields.list.push('b');
    lists.push(await session.append('list', 'c'));
    fields.plan = 'plain';
    const { version } = session.info()!;
    const { applied } = await session.setIf(version, { plan: 'set' });
    const { applied: stale } = await session.setIf(version, { plan: 'of before' });
    fields.gone = 7;
    await session.setIf(session.info()!.version, { gone: undefined });
    const before = fieldsOf(session);
    fields.n += 100;
    return { sums, lists, applied, stale, before };
  },
  unawaited: ({ session }) => {
    const fields = session as unknown as Fields;
    const under: Promise<unknown>[] = [session.increment('n'), session.append('list', 'x')];
    under.push(session.setIf(session.info()!.version, {}));
    fields.n += 10;
    fields.list.push('y');
    under.push(session.increment('n'), session.increment('n'), session.append('list', 'z'));
    Promise.all(under).catch((error: Error) => expect.unreachable(error.message));
  },
  changedInside: async ({ session }) => {
    const fields = session as unknown as { cart: unknown[]; fresh?: unknown[]; n: number };
    fields.cart = [{ qty: 1 }, { qty: 1 }];
    const under: Promise<unknown>[] = [session.append('cart', 'x', 'y'), session.append('fresh', 'x')];
    await sent();
    (fields.cart[0] as { qty: number }).qty = 2;
    await Promise.all(under);
    const { cart } = fields;
    under.push(session.append('cart', 'z'), session.append('fresh', 'y'));
    await sent();
    cart.splice(1, 1);
    await Promise.all(under);
    under.push(session.increment('n', 5));
    await sent();
    fields.n = 100;
    await Promise.all(under);
    return { cart: fields.cart, fresh: fields.fresh, n: fields.n };
  },
  beforeRotation: async ({ session }) => {
    session.plain = 'before';
    const under: Promise<unknown>[] = [session.increment('n'), session.append('list', 'x'), session.identify('ada')];
    under.push(session.increment('n'));
    Promise.all(under).catch((error: Error) => expect.unreachable(error.message));
    await session.rotate();
  },
  behindRotation: async (context) => {
    const { session } = context;
    session.plain = 'beside';
    const under: Promise<unknown>[] = [session.rotate(), session.increment('n'), session.append('list', 'y')];
    under.push(session.rotate(), session.identify('grace'), session.increment('n'));
    await Promise.all(under);
    // In Express on the object from before, which is an alias.
    Object.assign(session, { late: (context.session as unknown as Fields).n });
  },
};

/** Until an operation is on its way, and before Redis can have answered: that takes a turn of the event loop. */
async function sent(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise<void>((resolve) => process.nextTick(resolve));
}

/** Pages of which all have loaded the session before the first goes on. */
function together(count: number, work: Page): Page {
  const gate = new Gate(count);
  void gate.arrived().then(() => gate.open());
  return async (context, ...params) => {
    const before = context.session.info();
    await gate.pass();
    return work(context, ...params, String(before?.version));
  };
}

function times<Result>(count: number, work: (i: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => work(i)));
}

/** Operations that change a session in one step, whoever else changes it. */
export function testOperations(stage: AdapterStage): void {
  describe.each<[string, object]>([
    ['plain', {}],
    ['encrypted', { encryption: { keys: [randomBytes(32)] } }],
  ])('parallel requests, and operations (%s)', (kept, encryption) => {
    const namespace = kept;
    const open = (more: Pages = {}, options: object = {}) =>
      stage.open({ pages: { ...pages, ...more }, store: { ...encryption, namespace, ...options } });

    it('100 requests to two processes, each with a field of its own, all loaded before the first save: all kept', async () => {
      const set: Page = ({ session }, name) => {
        session[name!] = [];
      };
      const shared = together(100, set);
      const [one, other] = [await open({ together: shared }), await open({ together: shared })];
      const visitor = stage.visitor(one);
      await visitor.page('/set/name/ada');
      await times(100, (i) => visitor.twin(i % 2 ? one : other).page(`/together/f${i}`));
      const expected = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, []]));
      expect(await visitor.page('/fields')).toEqual({ name: 'ada', ...expected });
    });

    it('a slow request that ends beside or behind a logout brings nothing back: 30 visitors', async () => {
      let pair = new Gate(2);
      const meet = (work: Page): Page => {
        return async (context, ...params) => {
          await pair.pass();
          return work(context, ...params);
        };
      };
      const slow: Page = ({ session }) => {
        session.user = 'logged in again';
      };
      const site = await open({ slow: meet(slow), leave: meet(({ destroy }) => destroy()) });
      for (let i = 0; i < 30; i += 1) {
        pair = new Gate(2);
        const visitor = stage.visitor(site);
        await visitor.page('/set/name/ada');
        const { token } = visitor;
        const paths = i % 2 ? ['/slow', '/leave'] : ['/leave', '/slow'];
        const answers = paths.map((path) => visitor.twin().get(path));
        await pair.arrived();
        pair.open();
        for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
        expect(await site.store.data.load(token)).toBeUndefined();
      }
    });

    it('100 increments at once: 100, and the requests that made them do not undo them', async () => {
      const visitor = stage.visitor(await open({ increment: together(100, pages.increment!) }));
      await visitor.page('/set/name/ada');
      const sums = (await times(100, () => visitor.twin().page('/increment'))) as number[];
      expect(sums.sort((one, other) => one - other)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
      expect(await visitor.page('/fields')).toEqual({ name: 'ada', n: 100 });
    });

    it('100 appends at once: all are there, each once', async () => {
      const visitor = stage.visitor(await open());
      await visitor.page('/set/name/ada');
      await times(100, (i) => visitor.twin().page(`/append/${i}`));
      const { list } = (await visitor.page('/fields')) as { list: string[] };
      expect(list.map(Number).sort((one, other) => one - other)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    });

    it('setIf: one of 50 wins', async () => {
      const set: Page = ({ session }, value, version) => session.setIf(Number(version), { winner: value });
      const visitor = stage.visitor(await open({ 'set-if': together(50, set) }));
      await visitor.page('/set/name/ada');
      const outcomes = (await times(50, (i) => visitor.twin().page(`/set-if/${i}`))) as { applied: boolean }[];
      const winners = outcomes.flatMap(({ applied }, i) => (applied ? [String(i)] : []));
      expect(winners).toHaveLength(1);
      expect(await visitor.page('/fields')).toEqual({ name: 'ada', winner: winners[0] });
    });

    it('plain changes between operations on the same fields count', async () => {
      const visitor = stage.visitor(await open());
      await visitor.page('/set/name/ada');
      expect(await visitor.page('/mixed')).toEqual({
        sums: [1, 12],
        lists: [['a'], ['a', 'b', 'c']],
        applied: true,
        stale: false,
        before: { name: 'ada', n: 12, list: ['a', 'b', 'c'], plan: 'set' },
      });
      expect(await visitor.page('/fields')).toEqual({ name: 'ada', n: 112, list: ['a', 'b', 'c'], plan: 'set' });
    });

    it('that are not awaited, plain changes beside them, and the save at the end: all count', async () => {
      const visitor = stage.visitor(await open());
      await visitor.page('/set/name/ada');
      await visitor.page('/mixed');
      await visitor.page('/unawaited');
      const { n, list } = (await visitor.page('/fields')) as { n: number; list: string[] };
      // An operation begins when the one before it is done, so y may come before x.
      expect([n, ...list.sort()]).toEqual([125, 'a', 'b', 'c', 'x', 'y', 'z']);
    });

    it('what is changed while an operation on it is under way counts beside it', async () => {
      const visitor = stage.visitor(await open());
      await visitor.page('/set/name/ada');
      const expected = { cart: [{ qty: 2 }, 'x', 'y', 'z'], fresh: ['x', 'y'], n: 105 };
      expect(await visitor.page('/changedInside')).toEqual(expected);
      expect(await visitor.page('/fields')).toEqual({ name: 'ada', ...expected });
    });

    it('a rotation waits for the operations before it, and those behind it go on with what it gave', async () => {
      const site = await open();
      const visitor = stage.visitor(site);
      await visitor.page('/set/name/ada');
      const user = async () => site.store.data.infoOf((await site.store.data.load(visitor.token))!).userId;
      expect((await visitor.get('/beforeRotation')).setCookies).toHaveLength(1);
      expect(await visitor.page('/fields')).toEqual({ name: 'ada', plain: 'before', n: 2, list: ['x'] });
      expect(await user()).toBe('ada');
      expect((await visitor.get('/behindRotation')).setCookies).toHaveLength(1);
      const expected = { name: 'ada', plain: 'beside', n: 4, list: ['x', 'y'], late: 4 };
      expect(await visitor.page('/fields')).toEqual(expected);
      expect(await user()).toBe('grace');
    });

    it('50 requests that change a sum and increment it at once: all count with integerDeltas', async () => {
      const add: Page = ({ session }) => {
        session.n = ((session.n as number | undefined) ?? 0) + 10;
        return session.increment('n');
      };
      const visitor = stage.visitor(await open({ add: together(50, add) }, { integerDeltas: ['n'] }));
      await visitor.page('/set/name/ada');
      const sums = (await times(50, () => visitor.twin().page('/add'))) as number[];
      expect(sums.sort((one, other) => one - other)).toEqual(Array.from({ length: 50 }, (_, i) => (i + 1) * 11));
      expect(await visitor.page('/fields')).toEqual({ name: 'ada', n: 550 });
    });

    it.each(['/increment', '/append/x', '/identify/ada', '/rotate'])(
      '%s begins a session with its cookie',
      async (path) => {
        for (const [, settings] of stage.adapter.settings) {
          const site = await stage.open({ pages, settings, store: { ...encryption, namespace } });
          const visitor = stage.visitor(site);
          expect((await visitor.get(path)).setCookies).toHaveLength(1);
          expect(await site.store.data.isCurrent(visitor.token)).toBe(true);
        }
      },
    );

    it('identify lists the device of the User-Agent header, and the limit is an error of the request', async () => {
      const site = await open({}, { maxSessionsPerUser: 1, namespace: `limited-${kept}` });
      const [one, other] = [stage.visitor(site), stage.visitor(site)];
      const { body } = await one.get('/identify/grace', { 'user-agent': 'X/1 (X11; Linux) Firefox/140.0' });
      expect(body).toEqual([]);
      expect(await one.page('/info')).toMatchObject({ session: sessionOf(one.token), userId: 'grace' });
      expect(await site.store.data.sessionsOf('grace')).toMatchObject([
        { session: sessionOf(one.token), device: 'Firefox on Linux' },
      ]);
      await other.page('/set/name/ada');
      expect(await other.get('/identify/grace')).toMatchObject({ status: 409, body: { code: 'SESSION_LIMIT' } });
      expect(site.errors).toEqual(['SESSION_LIMIT']);
      expect(await other.page('/fields')).toEqual({ name: 'ada' });
    });
  });

  it('operations are methods of the session, which a stored field of such a name replaces', async () => {
    const verbs = ['rotate', 'identify', 'increment', 'append', 'setIf', 'info', 'isDegraded'] as const;
    const site = await stage.open({
      pages: {
        ...pages,
        verbs: ({ session }: PageContext) => verbs.map((verb) => typeof session[verb]),
        enumerable: ({ session }) => Object.keys(fieldsOf(session)),
      },
    });
    const visitor = stage.visitor(site);
    expect(await visitor.page('/verbs')).toEqual(verbs.map(() => 'function'));
    await visitor.page('/set/info/mine');
    expect(await visitor.page('/enumerable')).toEqual(['info']);
    expect(site.store.data.valuesOf((await site.store.data.load(visitor.token))!)).toMatchObject({ info: 'mine' });
    expect(await visitor.page('/increment')).toBe(1);
    expect(await visitor.page('/fields')).toEqual({ info: 'mine', n: 1 });
  });
}
