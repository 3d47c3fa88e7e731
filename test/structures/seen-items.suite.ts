import { beforeAll, describe, expect, it } from 'vitest';
import type { FilterEngine } from '../../src/redis/index.ts';
import { SEEN_ITEMS_DEFAULTS, SeenItems } from '../../src/structures/index.ts';
import { useTestData } from '../support/use-test-data.ts';

const RETENTION = 1000;

/** The contract of seen items: small and large form, and the way from one to the other, with either filter engine. */
export function seenItemsSuite(engine: FilterEngine, serverPath?: string): void {
  describe(`seen items, ${engine} engine`, () => {
    const stage = useTestData(serverPath === undefined ? {} : { serverPath });
    let seen: SeenItems;
    const items = (prefix: string, from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, i) => stage.itemKey.of('page', `${prefix}${from + i}`));
    const form = (session: string): Promise<string> =>
      stage.redis.command('TYPE', stage.keys.seenItems(session, 'page'));

    beforeAll(async () => {
      seen = new SeenItems(stage.redis, stage.keys, { ...SEEN_ITEMS_DEFAULTS, engine });
    });

    it('an unknown session has seen nothing', async () => {
      expect(await seen.has('nobody', 'page', items('x', 0, 2))).toEqual([false, false]);
      expect(await seen.count('nobody', 'page')).toEqual({ count: 0, exact: true });
      expect(await seen.mark('nobody', 'page', [], RETENTION)).toEqual([]);
      expect(await seen.has('nobody', 'page', [])).toEqual([]);
    });

    it('exact to 64: no false positive, exact count, one key that Redis keeps as an intset', async () => {
      expect((await seen.mark('exact', 'page', items('e', 0, 64), RETENTION)).every((before) => !before)).toBe(true);
      expect(await seen.count('exact', 'page')).toEqual({ count: 64, exact: true });
      expect(await stage.redis.command('OBJECT', 'ENCODING', stage.keys.seenItems('exact', 'page'))).toBe('intset');
      expect(await stage.redis.command('EXISTS', stage.keys.uniqueCount('exact', 'page'))).toBe(0);
      for (let i = 0; i < 100_000; i += 1000) {
        expect((await seen.has('exact', 'page', items('absent', i, i + 1000))).includes(true)).toBe(false);
      }
    });

    it('the 65th turns the set into a filter and a count, and nothing seen is forgotten', async () => {
      await seen.mark('grows', 'page', items('g', 0, 64), RETENTION);
      expect(await form('grows')).toBe('set');
      expect(await seen.mark('grows', 'page', items('g', 64, 65), RETENTION)).toEqual([false]);
      expect(await form('grows')).not.toBe('set');
      expect((await seen.has('grows', 'page', items('g', 0, 65))).every((answer) => answer)).toBe(true);
      const { count, exact } = await seen.count('grows', 'page');
      expect(exact).toBe(false);
      expect(Math.abs(count - 65)).toBeLessThanOrEqual(2);
      for (const key of [stage.keys.seenItems('grows', 'page'), stage.keys.uniqueCount('grows', 'page')]) {
        expect(await stage.redis.command('TTL', key)).toBeGreaterThan(RETENTION - 10);
      }
    });

    it('from 1 to 100,000 items: exact to 64, then no false negative and the configured error rate', async () => {
      let size = 0;
      for (const next of [1, 63, 64, 65, 66, 100, 200, 1000, 10_000, 100_000]) {
        for (let from = size; from < next; from += 500) {
          const marked = await seen.mark('long', 'page', items('l', from, Math.min(next, from + 500)), RETENTION);
          if (next <= 64) expect(marked.includes(true)).toBe(false);
        }
        size = next;
        const step = Math.max(1, Math.floor(size / 2000));
        for (let i = 0; i < size; i += 500 * step) {
          const asked = Array.from({ length: 500 }, (_, j) => i + j * step).filter((n) => n < size);
          const answers = await seen.has(
            'long',
            'page',
            asked.map((n) => stage.itemKey.of('page', `l${n}`)),
          );
          expect(answers.includes(false), `a false negative at ${size} items`).toBe(false);
        }
        let positives = 0;
        for (let i = 0; i < 20_000; i += 1000) {
          positives += (await seen.has('long', 'page', items('absent', i, i + 1000))).filter((answer) => answer).length;
        }
        if (size <= 64) expect(positives).toBe(0);
        else expect(positives, `false positives of 20,000 at ${size} items`).toBeLessThanOrEqual(242);
        const { count, exact } = await seen.count('long', 'page');
        expect(exact).toBe(size <= 64);
        // HyperLogLog: four standard errors of 0.81 %, and the filter's own "seen before" of up to 1 % of items.
        if (exact) expect(count).toBe(size);
        else expect(Math.abs(count - size) / size).toBeLessThan(0.0424);
      }
    }, 120_000);

    it('two conversions at once, from two connections: nothing is lost or counted twice', async () => {
      const other = await stage.redis.duplicate().connect();
      const second = new SeenItems(other, stage.keys, { ...SEEN_ITEMS_DEFAULTS, engine });
      try {
        for (let round = 0; round < 50; round += 1) {
          const session = `race-${round}`;
          await seen.mark(session, 'page', items('r', 0, 63), RETENTION);
          const answers = await Promise.all([
            seen.mark(session, 'page', items('r', 63, 66), RETENTION),
            second.mark(session, 'page', items('r', 64, 67), RETENTION),
            seen.mark(session, 'page', items('r', 66, 67), RETENTION),
          ]);
          // r64, r65 and r66 were sent twice: of each pair one was first, unless the filter lied, at 1 %.
          expect(answers.flat().filter((before) => before).length).toBeGreaterThanOrEqual(3);
          expect((await seen.has(session, 'page', items('r', 0, 67))).includes(false)).toBe(false);
          expect(Math.abs((await seen.count(session, 'page')).count - 67)).toBeLessThanOrEqual(3);
        }
      } finally {
        await other.close();
      }
    });

    it('exactLimit 0: a filter from the first item on; a set of before is taken over', async () => {
      const always = new SeenItems(stage.redis, stage.keys, { ...SEEN_ITEMS_DEFAULTS, engine, exactLimit: 0 });
      await always.mark('always', 'page', items('a', 0, 1), RETENTION);
      expect(await form('always')).not.toBe('set');
      expect(await always.count('always', 'page')).toEqual({ count: 1, exact: false });
      await seen.mark('taken', 'page', items('t', 0, 10), RETENTION);
      await always.mark('taken', 'page', items('t', 10, 11), RETENTION);
      expect(await form('taken')).not.toBe('set');
      expect((await seen.has('taken', 'page', items('t', 0, 11))).includes(false)).toBe(false);
      expect((await always.count('taken', 'page')).count).toBe(11);
    });

    it('kinds are kept apart', async () => {
      const key = stage.itemKey.of('item', 'x');
      await seen.mark('kinds', 'item', [key], RETENTION);
      expect(await seen.has('kinds', 'item', [key])).toEqual([true]);
      expect(await seen.has('kinds', 'page', [key])).toEqual([false]);
    });

    it('out of memory: the mark is refused and the set survives', async () => {
      await seen.mark('full', 'page', items('f', 0, 64), RETENTION);
      await stage.redis.command('CONFIG', 'SET', 'maxmemory', '1');
      try {
        await expect(seen.mark('full', 'page', items('f', 64, 65), RETENTION)).rejects.toThrow(/OOM/);
      } finally {
        await stage.redis.command('CONFIG', 'SET', 'maxmemory', '0');
      }
      expect(await seen.count('full', 'page')).toEqual({ count: 64, exact: true });
      expect((await seen.has('full', 'page', items('f', 0, 64))).includes(false)).toBe(false);
    });

    it('an exactLimit that an intset cannot hold is refused', () => {
      expect(() => new SeenItems(stage.redis, stage.keys, { ...SEEN_ITEMS_DEFAULTS, exactLimit: 513 })).toThrow(/513/);
    });
  });
}
