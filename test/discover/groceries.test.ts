import { describe, expect, it } from 'vitest';
import { readBaskets } from '../../src/cli/discover/read-baskets.ts';
import { type DiscoverOptions, discover, MemoryBudget } from '../../src/discover/index.ts';

/* The reference: 9,835 baskets of a grocery (the set `Groceries` of the R package arules: Hahsler, Hornik, Reutterer, 2006).
 * SESSIONWISE_TEST_GROCERIES names the file `groceries.csv.gz`; without it the tests are skipped. */

const FILE = process.env.SESSIONWISE_TEST_GROCERIES;
const OPTIONS: DiscoverOptions = {
  ...{ support: { share: 0.006 }, confidence: 0.25, lift: 0, maxItems: 8, top: 1_000, redundant: true },
  maxItemsets: 1_000_000,
};

describe.skipIf(FILE === undefined)('the baskets of a grocery (SESSIONWISE_TEST_GROCERIES)', () => {
  const find = async (options: Partial<DiscoverOptions> = {}) => {
    const budget = new MemoryBudget(64 * 1024 * 1024);
    const { store } = await readBaskets(FILE!, { format: 'auto', delimiter: ',', allRequests: false }, budget);
    return { budget, ...discover(store, { ...OPTIONS, ...options }, budget) };
  };

  it('give the 463 known rules at a support of 0.006 and a confidence of 0.25: 150, 297 and 16 of two, three and four items', async () => {
    const found = await find();
    expect(found).toMatchObject({ baskets: 9_835, items: 169, minCount: 60, rules: 463 });
    expect(found.rulesBySize).toEqual({ 2: 150, 3: 297, 4: 16 });
    expect(found.candidates).toHaveLength(463);
    expect(found.candidates[0]).toMatchObject({ when: ['herbs'], suggest: 'root vegetables', baskets: 69 });
    expect(found.candidates[0]!.lift).toBeCloseTo(3.9565, 4);
    expect(found.candidates[1]).toMatchObject({ when: ['berries'], suggest: 'whipped/sour cream' });
    expect(found.candidates.map(({ lift }) => lift)).toEqual(
      found.candidates.map(({ lift }) => lift).sort((a, b) => b - a),
    );
  });

  it('give the 150 rules of two items alone, and fewer where more is asked for', async () => {
    expect(await find({ maxItems: 2 })).toMatchObject({ rules: 150, rulesBySize: { 2: 150 } });
    expect(await find({ lift: 1 })).toMatchObject({ rules: 463, liftedRules: 462 });
    expect((await find({ lift: 3 })).candidates.every(({ lift }) => lift >= 3)).toBe(true);
  });

  it('take less than two megabytes', async () => {
    expect((await find()).budget.mostBytes).toBeLessThan(2 * 1024 * 1024);
  });
});

if (FILE === undefined)
  console.warn('SESSIONWISE_TEST_GROCERIES is not set: the known rules of groceries are not tested.');
