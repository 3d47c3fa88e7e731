import { describe, expect, it } from 'vitest';
import { benchModule } from './bench-modules.ts';

const { interleave, median } = await benchModule('support/rounds.js');
const { rounded, rowOf } = await benchModule('report/rows.js');

describe('median', () => {
  it('is the middle one, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([100, 20, 3])).toBe(20);
  });

  it('is the mean of the two in the middle of an even number', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});

describe('interleave', () => {
  it('begins each round with another side, and keeps those of a row together', async () => {
    const order: string[] = [];
    const rows = [
      { name: 'a', sides: ['x', 'y'] },
      { name: 'b', sides: ['x', 'y', 'z'] },
    ];
    const measure = async ({ name }: { name: string }, side: string) => order.push(name + side);
    const found = await interleave({ rows, rounds: 2, measure });
    expect(order).toEqual(['ax', 'ay', 'bx', 'by', 'bz', 'ay', 'ax', 'by', 'bz', 'bx']);
    expect(found[0]).toEqual([
      { x: 1, y: 2 },
      { y: 6, x: 7 },
    ]);
  });
});

describe('a row of the results', () => {
  const rounds = [
    { ours: { perSecond: 50, redisUs: 3 }, theirs: { perSecond: 100, redisUs: 0 } },
    { ours: { perSecond: 90, redisUs: 2 }, theirs: { perSecond: 100, redisUs: 0 } },
    { ours: { perSecond: 30, redisUs: 4 }, theirs: { perSecond: 20, redisUs: 0 } },
  ];
  const row = rowOf({ id: 'a/b', title: 'a b', load: 'none', against: 'theirs', rounds });

  it('has the median of each figure', () => {
    expect(row.medians).toEqual({ ours: { perSecond: 50, redisUs: 3 }, theirs: { perSecond: 100, redisUs: 0 } });
  });

  it('compares within each round, and not the medians', () => {
    expect(row.ratios.ours.perSecond).toBe(0.9);
  });

  it('has no ratio to nothing', () => {
    expect(row.ratios).toEqual({ ours: { perSecond: 0.9 } });
  });

  it('has the median of commands, of which a round may have none', () => {
    const some = (commands: Record<string, number>) => ({ ours: { perSecond: 1, commands } });
    const { medians } = rowOf({ rounds: [some({ get: 1 }), some({ get: 1, ping: 0.06 }), some({ get: 2 })] });
    expect(medians.ours.commands).toEqual({ get: 1, ping: 0 });
  });

  it('keeps four digits, and whole numbers', () => {
    expect([1234.56, 12.34567, 0.0123456, 65536].map(rounded)).toEqual([1235, 12.35, 0.01235, 65536]);
  });
});
