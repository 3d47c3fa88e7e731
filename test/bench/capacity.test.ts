import { describe, expect, it } from 'vitest';
import { benchModule } from './bench-modules.ts';

const { CAPACITY_BLOCKS, cores, fewest } = await benchModule('report/capacity.js');
const { Figures } = await benchModule('report/figures.js');

const row = (id: string, medians: object) => ({ id, medians: { ours: medians }, rounds: [] });
const bytes = { redisBytesIn: 500, redisBytesOut: 500 };
const figures = new Figures({
  rows: [
    row('wire/view/inbox/128', { redisUs: 16, serviceUs: 12, clientUs: 6, ...bytes }),
    row('wire/view/streams/128', { redisUs: 32, serviceUs: 24, clientUs: 12, ...bytes }),
    row('wire/view/inline/128', { redisUs: 8, clientUs: 12, ...bytes }),
  ],
});

describe('capacity', () => {
  it('counts cores that compute at most 0.6 of the time', () => {
    expect([cores(10_000, 60), cores(10_001, 60), cores(100_000, 12)]).toEqual([1, 2, 2]);
  });

  it('counts parts by the fullest one: 64 partitions on 7 masters are 10 on one of them', () => {
    // 0.6 of a core is 60,000 operations of 10 us.
    expect(fewest(64, 64, 60_000, 10)).toBe(1);
    expect(fewest(64, 64, 60_001, 10)).toBe(2);
    // 7 masters have up to 10 of 64: 0.156 of 384,000 are 60,000.
    expect(fewest(64, 64, 384_000, 10)).toBe(7);
    expect(fewest(64, 64, 385_000, 10)).toBe(8);
    expect(fewest(16, 16, 16 * 60_000 + 1, 10)).toBeUndefined();
  });

  it('says what a number of views needs, with AOF, and in several namespaces where one is not enough', () => {
    const lines: string[] = CAPACITY_BLOCKS.capacity(figures).split('\n');
    const cells = (line: number): string[] => lines[line]!.split('|').map((cell) => cell.trim());
    // 8 us and a quarter more are 10: 0.1, 1 and 10 cores, of which 0.6 each.
    expect(cells(2).slice(2, 5)).toEqual(['1; 1', '2; 2', '22; 20']);
    // 1,000,000 of 24 us are 24 cores; 16 instances make 9.6 of them.
    expect(cells(3).slice(2, 5)).toEqual(['1; 1; 1', '8; 4; 2', '2 × 64; 3 namespaces of 16; 20']);
    expect(cells(4).slice(2, 5)).toEqual(['1; 1; 1', '4; 4; 1', '34; 34; 10']);
    expect(cells(5).slice(2, 5)).toEqual(['80; 80; 80', '800; 800; 800', '8,000; 8,000; 8,000']);
  });

  it('fails where the results lack a row', () => {
    expect(() => CAPACITY_BLOCKS.capacity(new Figures({ rows: [] }))).toThrow(/have no row wire\/view/);
  });
});
