import { beforeAll, describe, expect, it } from 'vitest';
import type { SessionData } from '../../../src/sessions/index.ts';
import { inParallel, type SessionDataStage } from './session-data-stage.suite.ts';

/** Many at once, from two stores as from two processes: nothing is lost, and what has ended stays so. */
export function describeRaces(stage: SessionDataStage): void {
  describe('races', () => {
    let stores: [SessionData, SessionData];
    let data: SessionData;
    const storeOf = (i: number): SessionData => stores[i % 2]!;
    beforeAll(() => {
      stores = [stage.open(), stage.open()];
      data = stores[0];
    });

    it('100 saves, each of its own field, from sessions loaded before: all are kept', async () => {
      const token = await stage.saved(data, { shared: { list: [] } });
      const loaded = await inParallel(100, async (i) => (await storeOf(i).load(token))!);
      const saved = await inParallel(100, (i) => {
        const values = data.valuesOf(loaded[i]!);
        return storeOf(i).save(token, { ...values, [`f${i}`]: i }, loaded[i]!);
      });
      expect(saved.every(Boolean)).toBe(true);
      const expected = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, i]));
      expect(await stage.values(data, token)).toEqual({ shared: { list: [] }, ...expected });
    });

    it('100 increments: 100, each sum once', async () => {
      const token = await stage.saved(data, { n: 0 });
      const sums = await inParallel(100, (i) => storeOf(i).increment(token, 'n'));
      expect(sums.sort((one, other) => one - other)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
      expect(await stage.values(data, token)).toEqual({ n: 100 });
    });

    it('increments of a fraction are kept by the saves of their own requests', async () => {
      const token = await stage.saved(data, { n: 0 });
      const [one, other] = [(await data.load(token))!, (await stores[1].load(token))!];
      const sum = await data.increment(token, 'n', 0.1, one);
      await stores[1].increment(token, 'n', 0.1, other);
      await data.save(token, { n: sum }, one);
      expect(await stage.values(data, token)).toEqual({ n: 0.2 });
    });

    it('an operation keeps what was changed in its field before it', async () => {
      const token = await stage.saved(data, { n: 5, list: ['a'], gone: 7 });
      const loaded = (await data.load(token))!;
      const values = data.valuesOf(loaded);
      expect(await data.increment(token, 'n', 1, loaded, { ...values, n: 15 })).toBe(16);
      expect(await data.append(token, 'list', ['c'], loaded, { ...values, list: ['a', 'b'] })).toEqual(['a', 'b', 'c']);
      expect(await data.increment(token, 'gone', 1, loaded, { n: 16 })).toBe(1);
      expect(await stage.values(data, token)).toEqual({ n: 16, list: ['a', 'b', 'c'], gone: 1 });
    });

    it('an operation says of no other field than its own what was changed before', async () => {
      const token = await stage.saved(data, { n: 5, other: 1 });
      const loaded = (await data.load(token))!;
      expect(await data.increment(token, 'n', 1, loaded, { n: 5, other: 2 })).toBe(6);
      expect(await stage.values(data, token)).toEqual({ n: 6, other: 1 });
      await data.save(token, { n: 6, other: 2 }, loaded);
      expect(await stage.values(data, token)).toEqual({ n: 6, other: 2 });
    });

    it('an operation on what was changed to something unfit is refused, and nothing is written', async () => {
      const token = await stage.saved(data, { n: 5, list: [] });
      const loaded = (await data.load(token))!;
      const before = await stage.bytes(token);
      const refused = { code: 'SESSION_DATA' };
      await expect(data.increment(token, 'n', 1, loaded, { n: 'x' })).rejects.toMatchObject(refused);
      await expect(data.append(token, 'list', [1], loaded, { list: {} })).rejects.toMatchObject(refused);
      await expect(data.increment(token, 'n', 1, loaded, { n: 5n })).rejects.toMatchObject({
        code: 'SESSION_NOT_SERIALISABLE',
      });
      expect(await stage.bytes(token)).toEqual(before);
    });

    it('100 times a change and an increment with integerDeltas: all of them count', async () => {
      const counting = [stage.open({ integerDeltas: ['n'] }), stage.open({ integerDeltas: ['n'] })];
      const token = await stage.saved(data, {});
      const loaded = await inParallel(100, async (i) => (await counting[i % 2]!.load(token))!);
      await inParallel(100, (i) => counting[i % 2]!.increment(token, 'n', 1, loaded[i], { n: 10 }));
      expect(await stage.values(data, token)).toEqual({ n: 1100 });
    });

    it('100 appends: all are there, each once', async () => {
      const token = await stage.saved(data, { list: ['first'] });
      await inParallel(100, (i) => storeOf(i).append(token, 'list', [i]));
      const { list } = (await stage.values(data, token)) as { list: unknown[] };
      expect(list[0]).toBe('first');
      expect(list.slice(1).sort((one, other) => Number(one) - Number(other))).toEqual(
        Array.from({ length: 100 }, (_, i) => i),
      );
    });

    it('setIf: one of 50 wins, and its value is there', async () => {
      const token = await stage.saved(data, { winner: null });
      const { version } = data.infoOf((await data.load(token))!);
      const outcomes = await inParallel(50, (i) => storeOf(i).setIf(token, version, { winner: i }));
      const winners = outcomes.flatMap(({ applied }, i) => (applied ? [i] : []));
      expect(winners).toHaveLength(1);
      expect(await stage.values(data, token)).toEqual({ winner: winners[0] });
      expect(outcomes.every((outcome) => outcome.version === version + 1)).toBe(true);
    });

    it.each([
      [true, 100],
      [false, 1],
    ])('100 times count++ with integerDeltas %s: %i', async (integerDeltas, expected) => {
      const counting = [stage.open({ integerDeltas }), stage.open({ integerDeltas })];
      const token = await stage.saved(data, { count: 0, text: 'a' });
      const loaded = await inParallel(100, async (i) => (await counting[i % 2]!.load(token))!);
      await inParallel(100, (i) => counting[i % 2]!.save(token, { count: 1, text: 'a' }, loaded[i]!));
      expect(await stage.values(data, token)).toEqual({ count: expected, text: 'a' });
    });

    it.each([
      ['true', true],
      ['its name', ['count']],
    ] as const)('200 first increments of a missing field with integerDeltas %s: 200', async (_, integerDeltas) => {
      const counting = [stage.open({ integerDeltas }), stage.open({ integerDeltas })];
      const token = await stage.saved(data, { text: 'a' });
      const loaded = await inParallel(200, async (i) => (await counting[i % 2]!.load(token))!);
      await inParallel(200, (i) => counting[i % 2]!.save(token, { count: 1, text: 'a' }, loaded[i]!));
      expect(await stage.values(data, token)).toEqual({ count: 200, text: 'a' });
    });

    it('with names in integerDeltas, other integers are no sums: the later one wins', async () => {
      const counting = stage.open({ integerDeltas: ['count'] });
      const token = await stage.saved(data, { group: 1 });
      const [one, other] = [(await counting.load(token))!, (await counting.load(token))!];
      await counting.save(token, { count: 2, user: 42, group: 7 }, one);
      await counting.save(token, { count: 3, user: 42, group: 7 }, other);
      expect(await stage.values(data, token)).toEqual({ count: 5, user: 42, group: 7 });
    });

    it('a missing field that somebody has filled with no number becomes what the last save says', async () => {
      const counting = stage.open({ integerDeltas: true });
      const token = await stage.saved(data, {});
      const loaded = (await counting.load(token))!;
      await data.save(token, { count: 'five' }, await data.load(token));
      await counting.save(token, { count: 6 }, loaded);
      expect(await stage.values(data, token)).toEqual({ count: 6 });
    });

    it('with integerDeltas, what is no number any more becomes what the last save says', async () => {
      const counting = stage.open({ integerDeltas: true });
      const token = await stage.saved(data, { count: 5 });
      const loaded = (await counting.load(token))!;
      await data.save(token, { count: 'five' }, await data.load(token));
      await counting.save(token, { count: 6 }, loaded);
      expect(await stage.values(data, token)).toEqual({ count: 6 });
    });

    it('a field removed here while another is set there', async () => {
      const token = await stage.saved(data, { here: 1, there: 1 });
      const [one, other] = [(await data.load(token))!, (await stores[1].load(token))!];
      await Promise.all([
        data.save(token, { there: 1 }, one),
        stores[1].save(token, { here: 1, there: 2, more: [] }, other),
      ]);
      expect(await stage.values(data, token)).toEqual({ there: 2, more: [] });
    });

    it('a save that changes nothing undoes nothing', async () => {
      const token = await stage.saved(data, { a: 1, gone: 1 });
      const loaded = (await data.load(token))!;
      await stores[1].save(token, { a: 2, b: 3 }, await stores[1].load(token));
      await data.save(token, { a: 1, gone: 1 }, loaded);
      expect(await stage.values(data, token)).toEqual({ a: 2, b: 3 });
    });

    it('two saves of one loaded session keep what others saved before and between', async () => {
      const token = await stage.saved(data, { a: 1 });
      const loaded = (await data.load(token))!;
      await stores[1].save(token, { a: 1, before: 1 }, await stores[1].load(token));
      await data.save(token, { a: 1, own: 1 }, loaded);
      const between = (await stores[1].load(token))!;
      await stores[1].save(token, { ...data.valuesOf(between), between: 1 }, between);
      await data.save(token, { a: 1, own: 2 }, loaded);
      await data.save(token, { own: 3 }, loaded);
      expect(await stage.values(data, token)).toEqual({ before: 1, between: 1, own: 3 });
    });

    // What each of these learns of the session must not pass for having seen the fields that others set meanwhile.
    it.each<[string, (token: string, loaded: Awaited<ReturnType<SessionData['load']>>) => Promise<unknown>]>([
      ['touch', (token, loaded) => stage.open({ touchEveryMs: 0 }).touch(token, {}, loaded)],
      ['identify', (token, loaded) => data.identify(token, 'ada', {}, loaded)],
      ['increment', (token, loaded) => data.increment(token, 'n', 1, loaded)],
      ['append', (token, loaded) => data.append(token, 'list', [1], loaded)],
      [
        'setIf',
        async (token, loaded) => data.setIf(token, data.infoOf((await data.load(token))!).version, { set: 1 }, loaded),
      ],
    ])('a save after %s keeps what others saved before it', async (_, operation) => {
      const token = await stage.saved(data, { a: 1 });
      const loaded = (await data.load(token))!;
      await stores[1].save(token, { a: 1, theirs: 1 }, await stores[1].load(token));
      await operation(token, loaded);
      await data.save(token, { ...data.valuesOf(loaded), a: 2 }, loaded);
      expect(await stage.values(data, token)).toMatchObject({ a: 2, theirs: 1 });
    });

    it('a save after rotate keeps what others saved before it', async () => {
      const token = await stage.saved(data, { a: 1 });
      const loaded = (await data.load(token))!;
      await stores[1].save(token, { a: 1, theirs: 1 }, await stores[1].load(token));
      const next = await data.rotate(token, {}, loaded);
      await data.save(next, { a: 2 }, loaded);
      expect(await stage.values(data, next)).toEqual({ a: 2, theirs: 1 });
    });

    it('1,000 times end and saves at once: the session stays ended', async () => {
      for (let round = 0; round < 20; round += 1) {
        await inParallel(50, async (i) => {
          const token = await stage.saved(data, { a: 1 });
          const loaded = (await stores[1].load(token))!;
          // In a turn order of its own in each round.
          const work = [
            () => data.end(token),
            () => stores[1].save(token, { a: 2, more: i }, loaded),
            () => storeOf(i).save(token, { a: 3 }),
            () => storeOf(i + 1).save(token, { a: 4 }, undefined, { isNew: true }),
          ];
          const begin = (round + i) % work.length;
          await Promise.all([...work.slice(begin), ...work.slice(0, begin)].map((operation) => operation()));
          expect(await data.load(token)).toBeUndefined();
          expect(await data.save(token, { a: 5 }, loaded)).toBeUndefined();
          expect(await data.save(token, { a: 6 })).toBeUndefined();
          expect(await data.load(token)).toBeUndefined();
        });
      }
    });

    it('20 ends at once: one of them ended it', async () => {
      const token = await stage.saved(data, { a: 1 });
      const ended = await inParallel(20, (i) => storeOf(i).end(token));
      expect(ended.filter(Boolean)).toHaveLength(1);
      expect((await stage.lifecycle(token)).map(({ event }) => event)).toEqual(['created', 'ended']);
    });

    it('20 saves of a new session at once: it begins once', async () => {
      const token = await stage.saved(data, { first: 0 });
      await data.end(token);
      const fresh = `${token}-of-another-framework`;
      await inParallel(20, (i) => storeOf(i).save(fresh, { i }));
      expect((await stage.lifecycle(fresh)).map(({ event }) => event)).toEqual(['created']);
      expect(Object.keys((await stage.values(data, fresh))!)).toEqual(['i']);
    });
  });
}
