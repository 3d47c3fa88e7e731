import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withDeadline } from '../../src/async/index.ts';

const never = new Promise<never>(() => undefined);

describe('withDeadline', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('gives the result of work that is done in time, and leaves no timer', async () => {
    const result = withDeadline(Promise.resolve('done'), 1_000, () => 'late');
    expect(vi.getTimerCount()).toBe(1);
    expect(await result).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('rejects as the work does, and leaves no timer', async () => {
    await expect(withDeadline(Promise.reject(new Error('refused')), 1_000, () => 'late')).rejects.toThrow('refused');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives what onLate returns once the deadline has passed, and not before', async () => {
    const late = vi.fn(() => 'late');
    const result = withDeadline(never, 1_000, late);
    vi.advanceTimersByTime(999);
    expect(late).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(await result).toBe('late');
    expect(late).toHaveBeenCalledTimes(1);
  });

  it('rejects with the error that onLate throws', async () => {
    const result = withDeadline(never, 1_000, () => {
      throw new RangeError('too late');
    });
    vi.advanceTimersByTime(1_000);
    await expect(result).rejects.toThrow(new RangeError('too late'));
  });

  it('handles a rejection that comes after the deadline', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    let refuse!: (error: Error) => void;
    const work = new Promise<never>((_, reject) => {
      refuse = reject;
    });
    const result = withDeadline(work, 1_000, () => 'late');
    vi.advanceTimersByTime(1_000);
    refuse(new Error('much too late'));
    expect(await result).toBe('late');
    vi.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('reads what has arrived before the work counts as late, where it is told to', async () => {
    const late = vi.fn();
    for (const [readsInputFirst, result] of [
      [true, 'in time'],
      [false, 'late'],
    ] as const) {
      let arrive!: (result: string) => void;
      const work = new Promise<string>((resolve) => {
        arrive = resolve;
      });
      const outcome = withDeadline(work, 1_000, () => 'late', { readsInputFirst });
      vi.advanceTimersToNextTimer();
      arrive('in time');
      expect(await outcome).toBe(result);
      expect(vi.getTimerCount()).toBe(0);
    }
    void withDeadline(never, 1_000, late, { readsInputFirst: true });
    vi.runAllTimers();
    expect(late).toHaveBeenCalledTimes(1);
  });

  it.each([
    [true, undefined],
    [true, {}],
    [true, { keepsAlive: true }],
    [false, { keepsAlive: false }],
  ])('keeps the process alive: %s, with %j', (isAlive, options) => {
    vi.useRealTimers();
    const timers = vi.spyOn(globalThis, 'setTimeout');
    void withDeadline(never, 10, () => undefined, options);
    const timer = timers.mock.results[0]!.value as NodeJS.Timeout;
    timers.mockRestore();
    expect(timer.hasRef()).toBe(isAlive);
    clearTimeout(timer);
  });
});
