import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WaitBudget } from '../../src/client/wait-budget.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function waiting(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits for `work`, which gets the remaining time as its deadline, as a message does. */
async function spend<Result>(budget: WaitBudget, work: (deadlineMs: number) => Promise<Result>): Promise<Result> {
  const { leftMs } = budget;
  budget.start();
  try {
    return await work(leftMs);
  } finally {
    budget.end();
  }
}

describe('the budget of a page', () => {
  it('is spent by waiting, and by nothing else', async () => {
    const budget = new WaitBudget(100);
    expect(budget.leftMs).toBe(100);
    await vi.advanceTimersByTimeAsync(1000);
    expect(budget.leftMs).toBe(100);
    const spending = spend(budget, (deadlineMs) => {
      expect(deadlineMs).toBe(100);
      return waiting(30);
    });
    await vi.advanceTimersByTimeAsync(10);
    expect(budget.leftMs).toBe(90);
    await vi.advanceTimersByTimeAsync(20);
    await spending;
    await vi.advanceTimersByTimeAsync(1000);
    expect(budget.leftMs).toBe(70);
  });

  it('has nothing left of its last millisecond: timers may be that early', async () => {
    const budget = new WaitBudget(100);
    const spending = spend(budget, () => waiting(99.5));
    await vi.advanceTimersByTimeAsync(99.5);
    await spending;
    expect(budget.leftMs).toBe(0);
  });

  it('is spent once by what waits side by side', async () => {
    const budget = new WaitBudget(100);
    const deadlines: number[] = [];
    const spendMs = (ms: number) =>
      spend(budget, (deadlineMs) => {
        deadlines.push(deadlineMs);
        return waiting(ms);
      });
    const first = spendMs(40);
    await vi.advanceTimersByTimeAsync(10);
    const second = spendMs(50);
    await vi.advanceTimersByTimeAsync(30);
    await first;
    expect(budget.leftMs).toBe(60);
    await vi.advanceTimersByTimeAsync(20);
    await second;
    expect(budget.leftMs).toBe(40);
    expect(deadlines).toEqual([100, 90]);
  });

  it('is never less than nothing', async () => {
    const budget = new WaitBudget(100);
    const late = spend(budget, () => waiting(250));
    await vi.advanceTimersByTimeAsync(200);
    expect(budget.leftMs).toBe(0);
    await vi.advanceTimersByTimeAsync(50);
    await late;
    expect(budget.leftMs).toBe(0);
    expect(await spend(budget, async (deadlineMs) => deadlineMs)).toBe(0);
  });
});
