import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Deadline, DeadlineQueue } from '../../src/async/index.ts';
import { SeededRandom } from '../support/seeded-random.ts';

describe('a deadline queue', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('calls back once a deadline is over, once, and not before', () => {
    const queue = new DeadlineQueue();
    const onDeadline = vi.fn();
    queue.add(1_000, onDeadline);
    vi.advanceTimersByTime(998);
    expect(onDeadline).not.toHaveBeenCalled();
    vi.advanceTimersByTime(3);
    expect(onDeadline).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(10_000);
    expect(onDeadline).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has one timer for any number of deadlines, and none to start or stop for each', () => {
    const queue = new DeadlineQueue();
    const starts = vi.spyOn(globalThis, 'setTimeout');
    const stops = vi.spyOn(globalThis, 'clearTimeout');
    const before = starts.mock.calls.length + stops.mock.calls.length;
    for (let i = 0; i < 1_000; i += 1) queue.delete(queue.add(1_000, () => undefined));
    // The first starts it; before that there is none to stop, but that is asked for.
    expect(starts.mock.calls.length + stops.mock.calls.length - before).toBeLessThanOrEqual(2);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1_001);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps deadlines of several lengths in the order of their ends', () => {
    const queue = new DeadlineQueue();
    const over: string[] = [];
    queue.add(3_000, () => over.push('3 s'));
    queue.add(1_000, () => over.push('1 s'));
    vi.advanceTimersByTime(500);
    queue.add(1_000, () => over.push('1.5 s'));
    vi.advanceTimersByTime(501);
    expect(over).toEqual(['1 s']);
    vi.advanceTimersByTime(500);
    expect(over).toEqual(['1 s', '1.5 s']);
    vi.advanceTimersByTime(1_500);
    expect(over).toEqual(['1 s', '1.5 s', '3 s']);
  });

  it('takes a deletion by another deadline that is over at the same time', () => {
    const queue = new DeadlineQueue();
    const second = vi.fn();
    let deadline: Deadline | undefined;
    queue.add(1_000, () => queue.delete(deadline!));
    deadline = queue.add(1_000, second);
    vi.advanceTimersByTime(2_000);
    expect(second).not.toHaveBeenCalled();
  });

  it('takes new deadlines from those that are over', () => {
    const queue = new DeadlineQueue();
    let count = 0;
    const again = (): void => {
      count += 1;
      if (count < 5) queue.add(100, again);
    };
    queue.add(100, again);
    vi.advanceTimersByTime(1_000);
    expect(count).toBe(5);
  });

  it('does what a timer for each would do, for 2,000 deadlines of random lengths and deletions', () => {
    const queue = new DeadlineQueue();
    const random = new SeededRandom(3);
    const ours: number[] = [];
    const expected: number[] = [];
    const live: { readonly id: number; readonly deadline: Deadline; readonly timer: NodeJS.Timeout }[] = [];
    for (let id = 0; id < 2_000; id += 1) {
      const lengthMs = [10, 50, 1_000][random.below(3)]!;
      const deadline = queue.add(lengthMs, () => ours.push(id));
      const timer = setTimeout(() => expected.push(id), lengthMs);
      live.push({ id, deadline, timer });
      if (random.below(2) === 0) {
        const [one] = live.splice(random.below(live.length), 1);
        queue.delete(one!.deadline);
        clearTimeout(one!.timer);
      }
      if (random.below(3) === 0) vi.advanceTimersByTime(random.below(20));
    }
    vi.advanceTimersByTime(2_000);
    expect(ours.toSorted((one, other) => one - other)).toEqual(expected.toSorted((one, other) => one - other));
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a deadline queue, on the real clock', () => {
  it('reads input that has arrived before a deadline counts as over', async () => {
    const queue = new DeadlineQueue();
    const onDeadline = vi.fn();
    const deadline = queue.add(20, onDeadline);
    // Input is read between timers and immediates: this one runs where that would.
    const read = sleep(1).then(() => setImmediate(() => queue.delete(deadline)));
    const until = performance.now() + 40;
    while (performance.now() < until);
    await read;
    await sleep(50);
    expect(onDeadline).not.toHaveBeenCalled();
  });

  it('does not keep the process alive', () => {
    const queue = new DeadlineQueue();
    const starts = vi.spyOn(globalThis, 'setTimeout');
    queue.add(60_000, () => undefined);
    const timer = starts.mock.results.at(-1)!.value as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
    clearTimeout(timer);
    starts.mockRestore();
  });
});
