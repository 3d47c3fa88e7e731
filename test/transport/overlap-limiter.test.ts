import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { OverlapLimiter } from '../../src/transport/overlap-limiter.ts';
import type { Overlap } from '../../src/transport/presence.ts';

/* The clock is the test's. */

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const overlap = (one: string, other: string): Overlap => ({ instances: [one, other], globs: ['?*', '?*'] });

it('the limiter of overlaps tells of one overlap a second, and of each pair once a minute, whoever of the two is named first', () => {
  const told: string[] = [];
  const limiter = new OverlapLimiter(({ instances }) => told.push(instances.join(' ')));
  for (let i = 0; i < 50; i += 1) {
    limiter.offer(overlap('a', 'b'));
    limiter.offer(overlap('b', 'a'));
    limiter.offer(overlap('a', 'c'));
  }
  expect(told).toEqual(['a b']);
  vi.advanceTimersByTime(999);
  expect(told).toEqual(['a b']);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(['a b', 'a c']);
  vi.advanceTimersByTime(30_000);
  limiter.offer(overlap('a', 'b'));
  limiter.offer(overlap('c', 'd'));
  expect(told).toEqual(['a b', 'a c', 'c d']);
  vi.advanceTimersByTime(60_000);
  limiter.offer(overlap('a', 'b'));
  expect(told).toEqual(['a b', 'a c', 'c d', 'a b']);
});

it('the limiter of overlaps holds no more than some of what waits, tells one a second of it, and nothing after it was stopped', () => {
  let told = 0;
  const limiter = new OverlapLimiter(() => {
    told += 1;
  });
  for (let i = 0; i < 10_000; i += 1) limiter.offer(overlap('a', `b${i}`));
  expect(told).toBe(1);
  vi.advanceTimersByTime(10_000);
  expect(told).toBe(11);
  limiter.stop();
  limiter.offer(overlap('x', 'y'));
  vi.advanceTimersByTime(200_000);
  expect(told).toBe(11);
});
