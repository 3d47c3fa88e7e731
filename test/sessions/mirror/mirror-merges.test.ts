import { describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { Keys } from '../../../src/redis/index.ts';
import { foreignChanges } from '../../../src/sessions/mirror/foreign-changes.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { cookieOf, MirrorStage } from './mirror-stage.ts';

const stage = new MirrorStage();
const { redis } = stage;

async function begun(values: object, data = stage.open()): Promise<[ReturnType<typeof stage.open>, string]> {
  const token = createToken();
  await data.save(token, { cookie: cookieOf(), ...values }, undefined, { isNew: true });
  return [data, token];
}

describe('what connect-redis has written', () => {
  it('is in the next read, field by field, and merged once', async () => {
    const [data, token] = await begun({ a: 1, b: 1, gone: 1 });
    await stage.changeTheirs(token, (values) => {
      values.b = { deep: [2] };
      values.added = 'theirs';
      delete values.gone;
    });
    const { cookie: _, ...fields } = (await stage.valuesOf(data, token))!;
    expect(fields).toEqual({ a: 1, b: { deep: [2] }, added: 'theirs' });
    await stage.valuesOf(data, token);
    expect(data.mirrorCounters).toMatchObject({ merged: 1, failed: 0 });
  });

  it('is kept by a save of ours that began before: each has changed another field', async () => {
    const [data, token] = await begun({ a: 1, b: 1 });
    const loaded = (await data.load(token))!;
    await stage.changeTheirs(token, (values) => Object.assign(values, { b: 2 }));
    await data.save(token, { cookie: cookieOf(), a: 2, b: 1 }, loaded);
    expect(await stage.get(token)).toMatchObject({ a: 2, b: 2 });
    expect(await stage.valuesOf(data, token)).toMatchObject({ a: 2, b: 2 });
  });

  it('gives way to a save of ours behind it of the same field; of a counter both count', async () => {
    const [data, token] = await begun({ same: 1, count: 1 }, stage.open({ integerDeltas: ['count'] }));
    const loaded = (await data.load(token))!;
    await stage.changeTheirs(token, (values) => Object.assign(values, { same: 'theirs', count: 11 }));
    await data.save(token, { cookie: cookieOf(), same: 'ours', count: 101 }, loaded);
    expect(await stage.get(token)).toMatchObject({ same: 'ours', count: 111 });
    expect(await stage.valuesOf(data, token)).toMatchObject({ same: 'ours', count: 111 });
  });

  it('moves with a rotation', async () => {
    const [data, token] = await begun({ a: 1 });
    const loaded = await data.load(token);
    await stage.changeTheirs(token, (values) => Object.assign(values, { a: 2 }));
    const next = await data.rotate(token, {}, loaded);
    expect(await stage.get(next)).toMatchObject({ a: 2 });
    expect(await stage.get(token)).toBeNull();
    expect(await stage.valuesOf(data, next)).toMatchObject({ a: 2 });
  });

  it('keeps the user that identify gave', async () => {
    const [data, token] = await begun({ a: 1 });
    await data.identify(token, 'ada');
    await stage.changeTheirs(token, (values) => Object.assign(values, { a: 2 }));
    expect(data.infoOf((await data.load(token))!).userId).toBe('ada');
  });

  it('renews the session: it is a visit', async () => {
    const [data, token] = await begun({ a: 1 }, stage.open({ touchEveryMs: 0 }));
    await stage.theirs.set(token, { cookie: cookieOf(5_000_000), a: 2 } as never);
    expect(data.infoOf((await data.load(token))!).expiresAt - data.now()).toBeGreaterThan(4_000_000);
  });

  it('that is no session is overwritten, and not believed', async () => {
    const [data, token] = await begun({ a: 1 });
    await redis.command('SET', `sess:${token}`, '{"a":2}');
    expect(await stage.valuesOf(data, token)).toMatchObject({ a: 1 });
    expect(await stage.get(token)).toMatchObject({ a: 1 });
  });

  it('under a token of its own is taken over, and stays there', async () => {
    const data = stage.open();
    const token = `theirs-${sessionOf(createToken())}`;
    await stage.theirs.set(token, { cookie: cookieOf(), a: 1 } as never);
    expect(await stage.valuesOf(data, token)).toMatchObject({ a: 1 });
    expect(await stage.get(token)).toMatchObject({ a: 1 });
    await data.increment(token, 'a');
    expect(await stage.get(token)).toMatchObject({ a: 2 });
  });

  it('lives on where only connect-redis was visited for longer than our idle time', async () => {
    const data = stage.open({ idleMs: 50, touchEveryMs: 0 });
    const [, token] = await begun({ a: 1 }, data);
    await redis.command('SET', `sess:${token}`, JSON.stringify({ cookie: cookieOf(), a: 2 }), 'PX', '600000');
    const over = data.now() + 200;
    while (data.now() < over) await redis.command('PING');
    const later = stage.open();
    expect(await stage.valuesOf(later, token)).toMatchObject({ a: 2 });
    expect(await stage.get(token)).toMatchObject({ a: 2 });
  });
});

describe('a session that connect-redis has ended', () => {
  it('has ended here: for reads, for saves that began before, and for good', async () => {
    for (const first of ['read', 'save', 'increment'] as const) {
      const [data, token] = await begun({ n: 1 });
      const loaded = (await data.load(token))!;
      await stage.theirs.destroy(token);
      if (first === 'save') await data.save(token, { cookie: cookieOf(), n: 2 }, loaded);
      if (first === 'increment') await data.increment({ session: sessionOf(token) }, 'n');
      expect(await data.load(token)).toBeUndefined();
      expect(await stage.get(token)).toBeNull();
      expect(await data.isLiving(sessionOf(token))).toBe(false);
      expect(data.mirrorCounters!.ended).toBe(1);
      // A slow request at connect-redis saves after its logout, as it can there.
      await stage.theirs.set(token, { cookie: cookieOf(), n: 9 } as never);
      expect(await data.load(token)).toBeUndefined();
      expect(await stage.get(token)).toBeNull();
    }
  });

  it('is not confused with one that was never copied, or whose id lives again', async () => {
    const data = stage.open();
    const token = 'an id of the application itself';
    await data.save(token, { cookie: cookieOf(), a: 1 }, undefined, { isNew: true });
    await redis.command('DEL', `sess:${token}`, new Keys('sw').record(sessionOf(token)));
    const next = data.now() + 5;
    while (data.now() < next) await redis.command('PING');
    expect(await data.save(token, { cookie: cookieOf(), a: 2 }, undefined, { isNew: true })).toBeDefined();
    expect(await stage.valuesOf(data, token)).toMatchObject({ a: 2 });
    expect(await stage.get(token)).toMatchObject({ a: 2 });
  });
});

describe('both at once', () => {
  it('200 sessions, changed by both and ended by either: what was ended stays so on both sides', async () => {
    const stores = [stage.open(), stage.open({ ownConnection: true })];
    const random = new SeededRandom(7);
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const data = stores[i % 2]!;
        const [, token] = await begun({ n: 0 }, data);
        const endedBy = (['ours', 'theirs', 'nobody'] as const)[i % 3]!;
        const writes = Array.from({ length: 4 }, async (_, of) => {
          for (let turn = 0; turn < random.below(5); turn += 1) await redis.command('PING');
          const store = stores[of % 2]!;
          const loaded = await store.load(token);
          if (loaded) await store.save(token, { cookie: cookieOf(), [`f${of}`]: of }, loaded);
        });
        for (let turn = 0; turn < random.below(5); turn += 1) await redis.command('PING');
        if (endedBy === 'ours') await data.end(token);
        if (endedBy === 'theirs') await stage.theirs.destroy(token);
        await Promise.all(writes);
        const there = (await data.load(token)) !== undefined;
        return { endedBy, there, theirs: (await stage.get(token)) !== null };
      }),
    );
    const wrong = outcomes.filter(
      ({ endedBy, there, theirs }) => there !== (endedBy === 'nobody') || theirs !== (endedBy === 'nobody'),
    );
    expect(wrong).toEqual([]);
  });
});

describe('the merge', () => {
  const fields = (values: object): Map<string, string> =>
    new Map(Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]));
  const merged = (base: object, theirs: object, ours: object, deltas: string[] = []): unknown[] =>
    foreignChanges(fields(base), fields(theirs), fields(ours), deltas);

  it('takes what only they changed, and leaves what we changed', () => {
    expect(merged({ a: 1, b: 1 }, { a: 2, b: 2 }, { a: 1, b: 3 })).toEqual([{ name: 'a', set: '2' }]);
    expect(merged({ a: 1 }, {}, { a: 1 })).toEqual([{ name: 'a', remove: true }]);
    expect(merged({ a: 1 }, {}, { a: 2 })).toEqual([]);
    expect(merged({}, { a: 1 }, {})).toEqual([{ name: 'a', set: '1' }]);
    expect(merged({}, { a: 1 }, { a: 2 })).toEqual([]);
    expect(merged({ n: 1 }, { n: 3 }, { n: 10 }, ['n'])).toEqual([{ name: 'n', add: 2, final: '3' }]);
  });

  it('sees no change in another order of a cookie’s properties', () => {
    const [ours, theirs] = [{ cookie: { path: '/', a: 1 } }, { cookie: { a: 1, path: '/' } }];
    expect(merged(ours, theirs, ours)).toEqual([]);
  });
});
