import { beforeAll, describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { type SessionData, SessionDataError, SessionGoneError } from '../../../src/sessions/index.ts';
import type { SessionDataStage } from './session-data-stage.suite.ts';

/** Each operation by itself. */
export function describeBasics(stage: SessionDataStage): void {
  describe('operations', () => {
    let data: SessionData;
    beforeAll(() => {
      data = stage.open();
    });

    it('what was never saved is absent, and asking makes no key', async () => {
      const token = createToken();
      expect(await data.load(token)).toBeUndefined();
      expect(await data.touch(token, {})).toBe(false);
      expect(await data.end(token)).toBe(false);
      expect(await stage.bytes(token)).toBeNull();
      expect(await stage.lifecycle(token)).toEqual([]);
    });

    it('save, load, save again: what was set, changed and removed', async () => {
      const token = await stage.saved(data, { a: 1, b: 'two', c: [3] });
      const loaded = (await data.load(token))!;
      expect(data.infoOf(loaded).session).toBe(sessionOf(token));
      expect(data.valuesOf(loaded)).toEqual({ a: 1, b: 'two', c: [3] });
      expect(await data.save(token, { a: 2, c: [3], d: null }, loaded)).toBeDefined();
      expect(await stage.values(data, token)).toEqual({ a: 2, c: [3], d: null });
    });

    it('a save without a snapshot replaces what is there', async () => {
      const token = await stage.saved(data, { a: 1, b: 2 });
      await data.save(token, { b: 3 });
      expect(await stage.values(data, token)).toEqual({ b: 3 });
    });

    it('a session without fields is a session', async () => {
      const token = await stage.saved(data, {});
      expect(await stage.values(data, token)).toEqual({});
      await data.save(token, { a: 1 }, await data.load(token));
      await data.save(token, {}, await data.load(token));
      expect(await stage.values(data, token)).toEqual({});
    });

    it('the version counts changes, and a touch is none', async () => {
      const token = await stage.saved(data, { a: 1 });
      const first = data.infoOf((await data.load(token))!).version;
      await data.touch(token, {});
      expect(data.infoOf((await data.load(token))!).version).toBe(first);
      await data.increment(token, 'a');
      expect(data.infoOf((await data.load(token))!).version).toBe(first + 1);
    });

    it('end is for good, whoever saves afterwards', async () => {
      const token = await stage.saved(data, { a: 1 });
      const loaded = (await data.load(token))!;
      expect(await data.end(token)).toBe(true);
      expect(await data.end(token)).toBe(false);
      const kept = await stage.bytes(token);
      expect(await data.load(token)).toBeUndefined();
      expect(await data.save(token, { a: 2 }, loaded)).toBeUndefined();
      expect(await data.save(token, { a: 2 })).toBeUndefined();
      expect(await data.save(token, { a: 2 }, undefined, { isNew: true })).toBeUndefined();
      expect(await data.touch(token, {})).toBe(false);
      for (const operation of [
        () => data.increment(token, 'a'),
        () => data.append(token, 'l', [1]),
        () => data.setIf(token, 1, { a: 2 }),
        () => data.rotate(token),
        () => data.identify(token, 'ada'),
      ]) {
        await expect(operation()).rejects.toThrow(SessionGoneError);
      }
      expect(await data.load(token)).toBeUndefined();
      expect(await stage.bytes(token)).toEqual(kept);
    });

    it('increment: from nothing, by any finite number, and its own snapshot follows', async () => {
      const token = await stage.saved(data, { n: 5, text: '5', list: [] });
      expect(await data.increment(token, 'n')).toBe(6);
      expect(await data.increment({ session: sessionOf(token) }, 'n', -10)).toBe(-4);
      expect(await data.increment(token, 'n', 0.5)).toBe(-3.5);
      expect(await data.increment(token, 'fresh', 3)).toBe(3);
      expect(await data.increment(token, 'big', 2 ** 53 - 1)).toBe(2 ** 53 - 1);
      const loaded = (await data.load(token))!;
      const sum = await data.increment(token, 'n', 1, loaded);
      await data.save(token, { ...data.valuesOf(loaded), other: true }, loaded);
      expect(await stage.values(data, token)).toEqual({
        n: sum,
        text: '5',
        list: [],
        fresh: 3,
        big: 2 ** 53 - 1,
        other: true,
      });
    });

    it('increment refuses what is no number, and changes nothing', async () => {
      const token = await stage.saved(data, { text: '5', nothing: null, list: [1], huge: 1e308 });
      const before = await stage.bytes(token);
      for (const field of ['text', 'nothing', 'list']) {
        await expect(data.increment(token, field)).rejects.toThrow(SessionDataError);
      }
      await expect(data.increment(token, 'huge', 1e308)).rejects.toThrow(SessionDataError);
      for (const by of [Number.NaN, Number.POSITIVE_INFINITY, '1' as never]) {
        await expect(data.increment(token, 'n', by)).rejects.toThrow(RangeError);
      }
      for (const field of ['', 'cookie', '__proto__', '\0user', 7 as never]) {
        await expect(data.increment(token, field)).rejects.toThrow(RangeError);
      }
      expect(await stage.bytes(token)).toEqual(before);
    });

    it('append: from nothing, to an empty list, several at once', async () => {
      const token = await stage.saved(data, { empty: [], text: 'x' });
      expect(await data.append(token, 'fresh', ['a'])).toEqual(['a']);
      expect(await data.append(token, 'empty', [[], {}])).toEqual([[], {}]);
      expect(await data.append({ session: sessionOf(token) }, 'empty', [null])).toEqual([[], {}, null]);
      const before = await stage.bytes(token);
      await expect(data.append(token, 'text', [1])).rejects.toThrow(SessionDataError);
      await expect(data.append(token, 'fresh', [])).rejects.toThrow(RangeError);
      await expect(data.append(token, 'fresh', [1n])).rejects.toThrow(/"fresh"/);
      expect(await stage.bytes(token)).toEqual(before);
      expect(await stage.values(data, token)).toEqual({ fresh: ['a'], empty: [[], {}, null], text: 'x' });
    });

    it.each([undefined, null, Number.NaN, 1.5, -1, Number.POSITIVE_INFINITY, '1', { version: 1 }])(
      'setIf: refuses %s, which is no version',
      async (version) => {
        const token = await stage.saved(data, { a: 1 });
        await expect(data.setIf(token, version as number, { a: 2 })).rejects.toThrow(/no version of a session: give/);
        await expect(data.setIf(token, 1, undefined as never)).rejects.toThrow(/needs the fields/);
        expect(await stage.values(data, token)).toEqual({ a: 1 });
      },
    );

    it('setIf: applied where the version is right, and only there', async () => {
      const token = await stage.saved(data, { a: 1, b: 2 });
      const { version } = data.infoOf((await data.load(token))!);
      const won = await data.setIf(token, version, { a: 'new', b: undefined, c: { d: [] } });
      expect(won).toEqual({ applied: true, version: version + 1 });
      expect(await data.setIf(token, version, { a: 'late' })).toEqual({ applied: false, version: version + 1 });
      expect(await stage.values(data, token)).toEqual({ a: 'new', c: { d: [] } });
    });

    it('a change of one field is no visit: the end stays', async () => {
      const visited = stage.open({ idleMs: 60_000, touchEveryMs: 0 });
      const token = await stage.saved(visited, { n: 1 });
      const { expiresAt } = visited.infoOf((await visited.load(token))!);
      await visited.increment(token, 'n');
      await visited.append(token, 'l', [1]);
      await visited.setIf(token, visited.infoOf((await visited.load(token))!).version, { n: 9 });
      expect(visited.infoOf((await visited.load(token))!).expiresAt).toBe(expiresAt);
      expect(await stage.redis.command<number>('PTTL', stage.key(token))).toBeGreaterThan(60_000);
    });

    it('all, sessions and clear see what lives, and nothing else', async () => {
      const namespace = stage.freshNamespace();
      const own = stage.open({ namespace });
      const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => stage.saved(own, { i })));
      await own.end(tokens[0]!);
      const living = tokens.slice(1);
      expect((await own.sessions()).sort()).toEqual(living.map(sessionOf).sort());
      const all = await own.all();
      expect(all.map((one) => own.valuesOf(one).i).sort()).toEqual(living.map((_, i) => i + 1).sort());
      const elsewhere = await stage.saved(data, { stays: true });
      await own.clear();
      expect(await own.sessions()).toEqual([]);
      for (const token of tokens) expect(await own.load(token)).toBeUndefined();
      expect(await stage.values(data, elsewhere)).toEqual({ stays: true });
      expect(await own.save(living[0]!, { i: 'again' })).toBeUndefined();
    });

    it('lifecycle entries in order', async () => {
      const token = await stage.saved(data, { a: 1 });
      await data.save(token, { a: 2 }, await data.load(token));
      await data.identify(token, 'grace');
      const rotated = await data.rotate(token);
      await data.touch(rotated, {});
      await data.end(rotated);
      await data.save(token, { a: 3 });
      const told = await stage.lifecycle(token);
      expect(told.map(({ event }) => event)).toEqual(['created', 'identified', 'rotated', 'ended']);
      expect(told.at(-1)?.reason).toBe('destroyed');
    });
  });
}
