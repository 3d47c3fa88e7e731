import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readBaskets } from '../../src/cli/discover/read-baskets.ts';
import { BasketStore, type DiscoverOptions, discover, MemoryBudget } from '../../src/discover/index.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { bruteForce, ruleText } from './brute-force.ts';

/* Frequent sets and rules beside a brute-force model, on random files of baskets. SESSIONWISE_SOAK_SECONDS: 10,000 files. */

const FILES = process.env.SESSIONWISE_SOAK_SECONDS ? 10_000 : 300;
const OPTIONS: DiscoverOptions = {
  ...{ support: { count: 1 }, confidence: 0, lift: 0, maxItems: 4, top: 100_000, redundant: true },
  maxItemsets: 1_000_000,
};

const MIB = 1024 * 1024;

function storeOf(baskets: readonly (readonly string[])[], budget = new MemoryBudget(64 * MIB)): BasketStore {
  const store = new BasketStore(budget);
  for (const basket of baskets) store.add(basket.map((item) => store.numberOf(item)));
  return store;
}

/** Names as they stand in a file, and as rules name them. */
const NAMES: readonly (readonly [written: string, named: string])[] = [
  ['milk', 'milk'],
  [' bread ', 'bread'],
  ['with, comma', 'with, comma'],
  ['"quoted" all over"', '"quoted" all over"'],
  ['Käse 🍜 日本語', 'Käse 🍜 日本語'],
  ['semi;colon', 'semi;colon'],
  ['/shop/tv?utm=1', '/shop/tv'],
  ['https://shop.example/radio#x', '/radio'],
  ['__proto__', '__proto__'],
  ["'); DROP TABLE--", "'); DROP TABLE--"],
];

/** Writes baskets as CSV or as JSON lines. */
function fileOf(baskets: readonly (readonly number[])[], isJson: boolean): string {
  const written = baskets.map((basket) => basket.map((i) => NAMES[i]![0]));
  if (isJson) return written.map((basket, i) => JSON.stringify(i % 2 === 0 ? basket : { items: basket })).join('\n');
  const field = (name: string): string => (/[",]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
  return written.map((basket) => basket.map(field).join(',')).join('\r\n');
}

function discoverIn(baskets: readonly (readonly string[])[], options: Partial<DiscoverOptions> = {}) {
  const budget = new MemoryBudget(64 * MIB);
  return discover(storeOf(baskets, budget), { ...OPTIONS, ...options }, budget);
}

describe('the miner of baskets', () => {
  it(`finds what counting each set in each basket finds, in ${FILES} random files`, async () => {
    const random = new SeededRandom(13);
    const folder = mkdtempSync(join(tmpdir(), 'sw-mining-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'baskets');
    for (let file = 0; file < FILES; file += 1) {
      const likely = NAMES.map(() => random.next()).slice(random.below(9));
      const written = Array.from({ length: 1 + random.below(30) }, () => {
        const basket = [...likely.keys()].filter((i) => random.next() < likely[i]!);
        return random.next() < 0.1 ? [...basket, ...basket] : basket;
      });
      const baskets = written.map((basket) => basket.map((i) => NAMES[i]![1]));
      const minCount = 1 + random.below(4);
      const maxItems = 2 + random.below(5);
      const confidence = random.next() < 0.3 ? 0 : random.next();
      const wanted = bruteForce(baskets, { minCount, maxItems, confidence });
      if (baskets.every((basket) => basket.length === 0)) continue;
      const content = fileOf(written, random.next() < 0.5);
      writeFileSync(path, random.next() < 0.2 ? gzipSync(content) : content);
      const budget = new MemoryBudget(64 * MIB);
      const { store } = await readBaskets(path, { format: 'auto', delimiter: ',', allRequests: false }, budget);
      const options = { ...OPTIONS, support: { count: minCount }, maxItems, confidence };
      const found = discover(store, options, budget);
      expect({ file, itemsets: found.itemsets }).toEqual({ file, itemsets: wanted.itemsets.size });
      expect({ file, rules: found.candidates.map(ruleText).sort() }).toEqual({
        file,
        rules: wanted.rules.map(ruleText).sort(),
      });
      expect(found.rules).toBe(wanted.rules.length);
    }
  }, 600_000);
});

describe('the rules of baskets', () => {
  const baskets = [
    ['a', 'b'],
    ['a', 'b'],
    ['a', 'b', 'c'],
    ['a', 'c', 'd'],
    ['d', 'e'],
    ['e', 'f'],
    ['a', 'b', 'e'],
    ['f'],
  ];

  it('are listed by lift, then by how many baskets they hold for and how often they are right, and are counted by their size', () => {
    const { candidates, ...counts } = discoverIn(baskets, { support: { count: 2 }, confidence: 0.5, lift: 1 });
    expect(counts).toEqual({
      ...{ baskets: 8, items: 6, minCount: 2, frequentItems: 6, itemsets: 8 },
      ...{ rules: 3, rulesBySize: { 2: 3 }, liftedRules: 3 },
    });
    expect(candidates).toEqual([
      {
        ...{ when: ['b'], suggest: 'a', baskets: 4, whenBaskets: 4, suggestBaskets: 5 },
        ...{ support: 0.5, confidence: 1, lift: 1.6 },
      },
      {
        ...{ when: ['a'], suggest: 'b', baskets: 4, whenBaskets: 5, suggestBaskets: 4 },
        ...{ support: 0.5, confidence: 0.8, lift: 1.6 },
      },
      {
        ...{ when: ['c'], suggest: 'a', baskets: 2, whenBaskets: 2, suggestBaskets: 5 },
        ...{ support: 0.25, confidence: 1, lift: 1.6 },
      },
    ]);
  });

  it('leave out those that ask for more than another one and are no more often right, as counting says', () => {
    const random = new SeededRandom(31);
    for (let file = 0; file < 60; file += 1) {
      const some = Array.from({ length: 25 }, () => ['a', 'b', 'c', 'd', 'e', 'f'].filter(() => random.next() < 0.5));
      const { rules } = bruteForce(some, { minCount: 2, maxItems: 5, confidence: 0.3 });
      const wanted = rules.filter(
        (rule) =>
          !rules.some(
            (other) =>
              other.suggest === rule.suggest &&
              other.when.length < rule.when.length &&
              other.when.every((item) => rule.when.includes(item)) &&
              other.confidence >= rule.confidence,
          ),
      );
      const options = { support: { count: 2 }, confidence: 0.3, maxItems: 5, redundant: false };
      const found = discoverIn(some, options);
      expect(found.candidates.map(ruleText).sort()).toEqual(wanted.map(ruleText).sort());
      expect(discoverIn(some, { ...options, top: 7 }).candidates).toEqual(found.candidates.slice(0, 7));
    }
  });

  it('take a share of the baskets as it is: 3 of 10 are 0.3, whatever floating point says', () => {
    const ten = [...Array.from({ length: 3 }, () => ['a', 'b']), ...Array.from({ length: 7 }, () => ['c'])];
    expect(discoverIn(ten, { support: { share: 0.3 } })).toMatchObject({ minCount: 3, rules: 2 });
    expect(discoverIn(ten, { support: { share: 0.31 } })).toMatchObject({ minCount: 4, rules: 0 });
    expect(discoverIn(ten, { support: { share: 0.01, count: 5 } })).toMatchObject({ minCount: 5 });
  });
});

describe('the bounds of the miner', () => {
  const everything = Array.from({ length: 10_000 }, (_, i) => `item ${i}`);

  it('a basket of 10,000 items is read, and finds nothing alone', () => {
    const found = discoverIn([everything, everything.slice(0, 3)], { support: { count: 2 } });
    expect(found).toMatchObject({ baskets: 2, items: 10_000, frequentItems: 3, itemsets: 7 });
  });

  it('refuses more sets of items than are allowed, and says what to do', () => {
    expect(() => discoverIn([everything, everything], { support: { count: 2 }, maxItemsets: 50_000 })).toThrow(
      expect.objectContaining({
        code: 'DISCOVERY_TOO_LARGE',
        message: expect.stringMatching(/more than 50,000 frequent sets.*--support.*--max-items.*--max-itemsets/),
      }),
    );
  });

  it('refuses to take more memory than is allowed, and says what to do', () => {
    const budget = new MemoryBudget(MIB);
    expect(() => storeOf([everything], budget)).toThrow(
      expect.objectContaining({
        code: 'DISCOVERY_TOO_LARGE',
        message: expect.stringMatching(/more than 1 MiB.*part of the file.*--max-memory/),
      }),
    );
    const mining = new MemoryBudget(3 * MIB);
    const store = storeOf([everything, everything], mining);
    expect(() => discover(store, { ...OPTIONS, support: { count: 2 } }, mining)).toThrow(/more than 3 MiB.*--support/);
    expect(mining.mostBytes).toBeLessThanOrEqual(3 * MIB);
  });

  it('says so where there is nothing to learn from', () => {
    expect(() => discoverIn([[]])).toThrow(expect.objectContaining({ code: 'NO_BASKETS' }));
  });
});
