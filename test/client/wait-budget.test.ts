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

describe('the budget of a page', () => {
  it('is spent by waiting, and by nothing else', async () => {
    const budget = new WaitBudget(100);
    expect(budget.leftMs).toBe(100);
    await vi.advanceTimersByTimeAsync(1000);
    expect(budget.leftMs).toBe(100);
    const spending = budget.spend((deadlineMs) => {
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
    const spending = budget.spend(() => waiting(99.5));
    await vi.advanceTimersByTimeAsync(99.5);
    await spending;
    expect(budget.leftMs).toBe(0);
  });

  it('is spent once by what waits side by side', async () => {
    const budget = new WaitBudget(100);
    const deadlines: number[] = [];
    const spend = (ms: number) =>
      budget.spend((deadlineMs) => {
        deadlines.push(deadlineMs);
        return waiting(ms);
      });
    const first = spend(40);
    await vi.advanceTimersByTimeAsync(10);
    const second = spend(50);
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
    const late = budget.spend(() => waiting(250));
    await vi.advanceTimersByTimeAsync(200);
    expect(budget.leftMs).toBe(0);
    await vi.advanceTimersByTimeAsync(50);
    await late;
    expect(budget.leftMs).toBe(0);
    expect(await budget.spend(async (deadlineMs) => deadlineMs)).toBe(0);
  });

  it('gives back what the work gives, and is spent by work that fails', async () => {
    const budget = new WaitBudget(100);
    expect(await budget.spend(async () => 'answer')).toBe('answer');
    const failing = budget.spend(async () => {
      await waiting(10);
      throw new Error('no');
    });
    const failed = expect(failing).rejects.toThrow('no');
    await vi.advanceTimersByTimeAsync(10);
    await failed;
    expect(budget.leftMs).toBe(90);
    await vi.advanceTimersByTimeAsync(10);
    expect(budget.leftMs).toBe(90);
  });
});
