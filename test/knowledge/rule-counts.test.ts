import { beforeEach, describe, expect, it } from 'vitest';
import { ItemHasher, RuleCounts } from '../../src/knowledge/index.ts';
import { Keys } from '../../src/redis/index.ts';
import { useRedis } from '../support/use-redis.ts';

const SECRET = 'a secret of the tests, long enough';
const DAY_MS = 86_400_000;
const server = useRedis();
const keys = new Keys('sw');
const items = new ItemHasher(SECRET, 'sw');
let now: number;
let counts: RuleCounts;
beforeEach(() => {
  // An hour before midnight.
  now = Math.ceil(Date.now() / DAY_MS) * DAY_MS - 3_600_000;
  counts = new RuleCounts(server.redis, keys, items, SECRET, () => now);
});

describe('counts of rules in Redis', () => {
  it('of two segments, and of two days, cannot be compared: that the same subjects were in both does not show', async () => {
    const subjects = Array.from({ length: 20 }, (_, i) => `visitor${i}`);
    const today = counts.today();
    for (const [segment, day] of [
      ['one', today],
      ['two', today],
      ['one', today - 1],
    ] as const) {
      await counts.addSubjects(segment, day, subjects);
    }
    const written = await server.redis.command<string[]>('KEYS', '*@segment*');
    const values = await Promise.all(written.map((key) => server.redis.command<string>('GET', key)));
    expect(new Set(values.map((value) => JSON.stringify(value))).size).toBe(3);
    expect(await counts.segments(['one', 'two', 'three'])).toEqual([
      { today: 20, yesterday: 20 },
      { today: 20, yesterday: 0 },
      { today: 0, yesterday: 0 },
    ]);
    now += 2 * 3_600_000;
    expect(await counts.segments(['one'])).toEqual([{ today: 0, yesterday: 20 }]);
    expect(await counts.segmentDays(['one', 'three'])).toEqual([
      [0, 20, 20, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0],
    ]);
  });

  it('count a subject once, whatever instance tells it, of thousands at once', async () => {
    const subjects = Array.from({ length: 2_500 }, (_, i) => `visitor${i}`);
    for (const _ of [1, 2]) await counts.addSubjects('one', counts.today(), subjects);
    const [one] = await counts.segments(['one']);
    expect(Math.abs(one!.today - 2_500)).toBeLessThan(100);
  });

  it('forget rules that are no more where there are too many, and keep the others', async () => {
    const names = Array.from({ length: 2_000 }, (_, i) => `rule-${i}`);
    const all = names.flatMap((rule) =>
      (['fired', 'shown', 'taken', 'dismissed'] as const).map((as) => ({ rule, as, count: 2 })),
    );
    await counts.addMarks(all, names);
    expect(
      (await counts.marks(names)).every((each) => each.fired + each.shown + each.taken + each.dismissed === 8),
    ).toBe(true);
    await counts.addMarks([{ rule: 'new', as: 'shown', count: 1 }], ['rule-7', 'new']);
    expect(await counts.marks(['rule-7', 'new', 'rule-8'])).toEqual([
      { fired: 2, shown: 2, taken: 2, dismissed: 2 },
      { fired: 0, shown: 1, taken: 0, dismissed: 0 },
      { fired: 0, shown: 0, taken: 0, dismissed: 0 },
    ]);
    expect(await server.redis.command('HLEN', keys.ruleMarks())).toBe(5);
  });
});
