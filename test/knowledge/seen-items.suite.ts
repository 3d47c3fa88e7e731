import { describe, expect, it } from 'vitest';
import { type ItemHash, type Knowledge, SEEN_ITEMS_DEFAULTS } from '../../src/knowledge/index.ts';
import type { FilterEngine } from '../../src/redis/index.ts';
import { useTestData } from '../support/use-test-data.ts';

/** The contract of seen items: small and large form, and the way from one to the other, with either filter engine. */
export function seenItemsSuite(engine: FilterEngine, serverPath?: string): void {
  describe(`seen items, ${engine} engine`, () => {
    const stage = useTestData(serverPath === undefined ? {} : { serverPath });
    const limitedTo = (exactLimit: number): Knowledge =>
      stage.with({ seen: { ...SEEN_ITEMS_DEFAULTS, engine, exactLimit } });
    const items = (prefix: string, from: number, to: number): ItemHash[] =>
      stage.knowledge.items.ofAll(
        'item',
        Array.from({ length: to - from }, (_, i) => `${prefix}${from + i}`),
      );
    const isLarge = async (subject: string): Promise<boolean> =>
      (await stage.redis.command('EXISTS', stage.keys.seenFilter(subject, 'item'))) === 1;

    it('an unknown subject has seen nothing, and asking makes no key', async () => {
      const seen = limitedTo(64);
      expect(await seen.read('nobody').hasSeen('page', items('x', 0, 2))).toEqual([false, false]);
      expect(await seen.read('nobody').count('page')).toEqual({ count: 0, exact: true });
      expect(await seen.markItems('nobody', [])).toEqual([]);
      expect(await seen.read('nobody').hasSeen('page', [])).toEqual([]);
      expect(await stage.redis.command('DBSIZE')).toBe(0);
    });

    it.each([64, 512])('exact to %i: no false positive, an exact count, one key of 8 bytes an item', async (limit) => {
      const seen = limitedTo(limit);
      const before = await seen.markItems('exact', items('e', 0, limit));
      expect(before.includes(true)).toBe(false);
      expect(await seen.read('exact').count('item')).toEqual({ count: limit, exact: true });
      expect(await stage.redis.command('KEYS', '*:exact:*')).toEqual([stage.keys.subject('exact')]);
      expect(await stage.redis.command('STRLEN', stage.keys.subject('exact'))).toBe(28 + 8 * limit);
      for (let i = 0; i < 100_000; i += 1000) {
        const reading = seen.read('exact');
        expect((await reading.hasSeen('item', items('absent', i, i + 1000))).includes(true)).toBe(false);
        // Fewer than the record holds are encrypted, and not compared with decrypted ones.
        expect((await seen.read('exact').hasSeen('item', items('absent', i, i + 9))).includes(true)).toBe(false);
      }
    });

    it('one more turns the record into a filter and a count, and nothing seen is forgotten', async () => {
      const seen = limitedTo(64);
      await seen.markItems('grows', items('g', 0, 64));
      expect(await isLarge('grows')).toBe(false);
      expect(await seen.markItems('grows', items('g', 64, 65))).toEqual([false]);
      expect(await isLarge('grows')).toBe(true);
      expect(await stage.redis.command('STRLEN', stage.keys.subject('grows'))).toBe(28);
      expect((await seen.read('grows').hasSeen('item', items('g', 0, 65))).every((answer) => answer)).toBe(true);
      const { count, exact } = await seen.read('grows').count('item');
      expect(exact).toBe(false);
      expect(Math.abs(count - 65)).toBeLessThanOrEqual(2);
      const left = await stage.redis.command<number>('PTTL', stage.keys.subject('grows'));
      for (const key of [stage.keys.seenFilter('grows', 'item'), stage.keys.uniqueCount('grows', 'item')]) {
        expect(Math.abs((await stage.redis.command<number>('PTTL', key)) - left)).toBeLessThan(1_000);
      }
    });

    it('from 1 to 100,000 items: exact to 64, then no false negative and the configured error rate', async () => {
      const seen = limitedTo(64);
      let size = 0;
      for (const next of [1, 63, 64, 65, 66, 100, 200, 1000, 10_000, 100_000]) {
        for (let from = size; from < next; from += 500) {
          const marked = await seen.markItems('long', items('l', from, Math.min(next, from + 500)));
          if (next <= 64) expect(marked.includes(true)).toBe(false);
        }
        size = next;
        const step = Math.max(1, Math.floor(size / 2000));
        for (let i = 0; i < size; i += 500 * step) {
          const asked = Array.from({ length: 500 }, (_, j) => i + j * step).filter((n) => n < size);
          const hashes = asked.map((n) => stage.knowledge.items.of('item', `l${n}`));
          const answers = await seen.read('long').hasSeen('item', hashes);
          expect(answers.includes(false), `a false negative at ${size} items`).toBe(false);
        }
        let positives = 0;
        for (let i = 0; i < 20_000; i += 1000) {
          const answers = await seen.read('long').hasSeen('item', items('absent', i, i + 1000));
          positives += answers.filter((answer) => answer).length;
        }
        if (size <= 64) expect(positives).toBe(0);
        else expect(positives, `false positives of 20,000 at ${size} items`).toBeLessThanOrEqual(242);
        const { count, exact } = await seen.read('long').count('item');
        expect(exact).toBe(size <= 64);
        // HyperLogLog: four standard errors of 0.81 %, and the filter's own "seen before" of up to 1 % of items.
        if (exact) expect(count).toBe(size);
        else expect(Math.abs(count - size) / size).toBeLessThan(0.0424);
      }
    }, 120_000);

    it('two conversions at once, from two connections: nothing is lost or counted twice', async () => {
      const seen = limitedTo(64);
      for (let round = 0; round < 50; round += 1) {
        const subject = `race-${round}`;
        await seen.markItems(subject, items('r', 0, 63));
        const answers = await Promise.all([
          seen.markItems(subject, items('r', 63, 66)),
          limitedTo(64).markItems(subject, items('r', 64, 67)),
          seen.markItems(subject, items('r', 66, 67)),
        ]);
        // r64, r65 and r66 were sent twice: of each pair one was first, unless the filter lied, at 1 %.
        expect(answers.flat().filter((before) => before).length).toBeGreaterThanOrEqual(3);
        expect((await seen.read(subject).hasSeen('item', items('r', 0, 67))).includes(false)).toBe(false);
        expect(Math.abs((await seen.read(subject).count('item')).count - 67)).toBeLessThanOrEqual(3);
      }
    });

    it('exactLimit 0: a filter from the first item on; what a record holds already is taken over', async () => {
      const always = limitedTo(0);
      await always.markItems('always', items('a', 0, 1));
      expect(await isLarge('always')).toBe(true);
      expect(await always.read('always').count('item')).toEqual({ count: 1, exact: false });
      await limitedTo(64).markItems('taken', items('t', 0, 10));
      await always.markItems('taken', items('t', 10, 11));
      expect(await isLarge('taken')).toBe(true);
      expect((await always.read('taken').hasSeen('item', items('t', 0, 11))).includes(false)).toBe(false);
      expect((await always.read('taken').count('item')).count).toBe(11);
    });

    it('a filter that is gone is made anew with the next item, and lives as long as the record', async () => {
      const always = limitedTo(0);
      await always.markItems('gone', items('g', 0, 5));
      await stage.redis.command('DEL', stage.keys.seenFilter('gone', 'item'), stage.keys.uniqueCount('gone', 'item'));
      expect(await always.read('gone').hasSeen('item', items('g', 0, 1))).toEqual([false]);
      expect(await always.markItems('gone', items('g', 5, 6))).toEqual([false]);
      expect(await always.read('gone').hasSeen('item', items('g', 5, 6))).toEqual([true]);
      // The count alone: also an item that the filter holds makes it anew.
      await stage.redis.command('DEL', stage.keys.uniqueCount('gone', 'item'));
      expect(await always.markItems('gone', items('g', 5, 6))).toEqual([true]);
      expect((await always.read('gone').count('item')).count).toBe(1);
      expect(await stage.redis.command('PTTL', stage.keys.seenFilter('gone', 'item'))).toBeGreaterThan(0);
    });

    it('kinds are kept apart', async () => {
      const seen = limitedTo(64);
      const [hash] = items('x', 0, 1);
      await seen.markItems('kinds', [hash!]);
      expect(await seen.read('kinds').hasSeen('item', [hash!])).toEqual([true]);
      expect(await seen.read('kinds').hasSeen('page', [hash!])).toEqual([false]);
      await seen.recordView('kinds', stage.knowledge.items.of('page', '/p'));
      expect(await seen.read('kinds').hasSeen('item', [hash!])).toEqual([true]);
      expect((await seen.read('kinds').count('page')).count).toBe(1);
    });

    it('twins in one mark count once', async () => {
      const [a, b] = items('twin', 0, 2) as [ItemHash, ItemHash];
      for (const limit of [64, 0]) {
        expect(await limitedTo(limit).markItems(`twins-${limit}`, [a, b, a])).toEqual([false, false, true]);
      }
    });

    it('out of memory: the mark is refused and what was seen survives', async () => {
      const seen = limitedTo(64);
      await seen.markItems('full', items('f', 0, 64));
      await stage.redis.command('CONFIG', 'SET', 'maxmemory', '1');
      try {
        await expect(seen.markItems('full', items('f', 64, 65))).rejects.toThrow(/OOM/);
        await expect(seen.recordView('full', 1)).rejects.toThrow(/OOM/);
      } finally {
        await stage.redis.command('CONFIG', 'SET', 'maxmemory', '0');
      }
      expect(await seen.read('full').count('item')).toEqual({ count: 64, exact: true });
      expect((await seen.read('full').hasSeen('item', items('f', 0, 64))).includes(false)).toBe(false);
    });

    it('an exactLimit that the record does not hold is refused', () => {
      for (const limit of [513, -1, 1.5]) expect(() => limitedTo(limit)).toThrow(`exactLimit ${limit} `);
    });
  });
}
