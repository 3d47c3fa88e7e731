import { expect, it } from 'vitest';
import { isoTime } from '../../../src/sessions/record/iso-time.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

it('writes times as Date does, of any day and in any order', () => {
  const random = new SeededRandom(5);
  const times = [0, 1, -1, 86_400_000, 86_399_999, 951_782_400_000, 253_402_300_800_000, -62_167_219_200_001, 1.5];
  for (let i = 0; i < 10_000; i += 1) times.push(Math.floor((random.next() - 0.2) * 4e12));
  for (const time of times) expect(isoTime(time)).toBe(new Date(time).toISOString());
});

it('throws for what is no time', () => {
  expect(() => isoTime(Number.NaN)).toThrow(RangeError);
  expect(() => isoTime(1e20)).toThrow(RangeError);
});
