import { describe, expect, it } from 'vitest';
import { BasketStore, discover, discoverPairs, LEAST_SUBJECTS, MemoryBudget } from '../../src/discover/index.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Counts pairs of baskets, as a service does of subjects. */
function countedIn(baskets: readonly (readonly string[])[]) {
  const countOf = (...names: number[]): number =>
    baskets.filter((basket) => names.every((name) => basket.includes(NAMES[name]!))).length;
  return {
    names: NAMES,
    subjects: baskets.filter((basket) => basket.length > 0).length,
    single: NAMES.map((_, name) => countOf(name)),
    both: (one: number, other: number) => countOf(one, other),
  };
}

describe('rules of counted pairs', () => {
  it('are the rules of two items of the same baskets', () => {
    const random = new SeededRandom(3);
    for (let round = 0; round < 20; round += 1) {
      const baskets = Array.from({ length: 120 }, () => NAMES.filter(() => random.next() < 0.4));
      const budget = new MemoryBudget(2 ** 24);
      const store = new BasketStore(budget);
      for (const basket of baskets) store.add(basket.map((item) => store.numberOf(item)));
      const asked = { support: { count: 15 }, confidence: 0.35, lift: 0.9, top: 100 };
      const mined = discover(store, { ...asked, maxItems: 2, redundant: true, maxItemsets: 1_000 }, budget);
      const found = discoverPairs(countedIn(baskets), asked);
      const texts = ({ candidates }: typeof found): string[] => candidates.map((each) => JSON.stringify(each)).sort();
      expect(texts(found)).toEqual(texts(mined));
      expect({ ...found, candidates: [] }).toEqual({ ...mined, candidates: [] });
    }
  });

  it(`are never told of fewer than ${LEAST_SUBJECTS} subjects, whatever support is asked for`, () => {
    const asked = { support: { count: 1 }, confidence: 0, lift: 0, top: 100 };
    const nine = Array.from({ length: 9 }, () => ['a', 'b']);
    const ten = Array.from({ length: 10 }, () => ['c', 'd']);
    const found = discoverPairs(countedIn([...nine, ...ten]), asked);
    expect(found.minCount).toBe(LEAST_SUBJECTS);
    expect(found.candidates.map(({ when, suggest }) => [...when, suggest].sort())).toEqual([
      ['c', 'd'],
      ['c', 'd'],
    ]);
  });

  it('take a name as seen as often as its pairs, where it was counted before the weeks that are read', () => {
    const counted = { names: ['a', 'b'], subjects: 12, single: [3, 20], both: () => 15 };
    const asked = { support: { count: 1 }, confidence: 0, lift: 0, top: 100 };
    for (const { confidence, lift } of discoverPairs(counted, asked).candidates) {
      expect(confidence).toBeLessThanOrEqual(1);
      expect(lift).toBeGreaterThan(0);
    }
  });
});
