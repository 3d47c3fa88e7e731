import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConditionVariable } from '../../src/async/index.ts';

describe('ConditionVariable', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('does not wait for a condition that holds, nor past a deadline of 0', async () => {
    const condition = new ConditionVariable();
    expect(await condition.waitFor(() => true, 1_000)).toBe(true);
    expect(await condition.waitFor(() => false, 0)).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
    expect(condition.size).toBe(0);
  });

  it('looks when it is notified and never in between', async () => {
    const condition = new ConditionVariable();
    let isReady = false;
    const holds = vi.fn(() => isReady);
    const wait = condition.waitFor(holds, 60_000);
    vi.advanceTimersByTime(59_000);
    expect(holds).toHaveBeenCalledTimes(1);
    condition.notifyAll();
    expect(holds).toHaveBeenCalledTimes(2);
    isReady = true;
    condition.notifyAll();
    expect(await wait).toBe(true);
    expect(holds).toHaveBeenCalledTimes(3);
    expect(vi.getTimerCount()).toBe(0);
    expect(condition.size).toBe(0);
  });

  it.each([Number.POSITIVE_INFINITY, 2 ** 31, 3e9])(
    'waits without a limit where the deadline is %s',
    async (deadlineMs) => {
      const condition = new ConditionVariable();
      let isReady = false;
      const wait = condition.waitFor(() => isReady, deadlineMs);
      vi.advanceTimersByTime(60_000);
      isReady = true;
      condition.notifyAll();
      expect(await wait).toBe(true);
      expect(condition.size).toBe(0);
    },
  );

  it('looks once more at the deadline', async () => {
    const condition = new ConditionVariable();
    let isReady = false;
    const [first, second] = [condition.waitFor(() => false, 1_000), condition.waitFor(() => isReady, 1_000)];
    isReady = true;
    vi.advanceTimersByTime(1_000);
    expect([await first, await second]).toEqual([false, true]);
    expect(condition.size).toBe(0);
  });

  it('sets no timer without a deadline', async () => {
    const condition = new ConditionVariable();
    let isReady = false;
    const waits = Promise.all(Array.from({ length: 100 }, () => condition.waitFor(() => isReady)));
    expect(vi.getTimerCount()).toBe(0);
    expect(condition.size).toBe(100);
    isReady = true;
    condition.notifyAll();
    expect(new Set(await waits)).toEqual(new Set([true]));
  });
});
