import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline, DeadlineQueue } from '../../src/async/index.ts';
import { SeededRandom } from '../support/seeded-random.ts';

class Noted extends Deadline {
  readonly name: number;
  readonly #notes: number[];

  constructor(name: number, notes: number[]) {
    super();
    this.name = name;
    this.#notes = notes;
  }

  expire(): void {
    this.#notes.push(this.name);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  // There is no input to be read before.
  vi.stubGlobal('setImmediate', (work: () => void) => work());
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const pass = (ms: number): void => void vi.advanceTimersByTime(ms);

describe('a queue of deadlines', () => {
  it('lets each expire when its time has come, and no earlier', () => {
    const expired: number[] = [];
    const queue = new DeadlineQueue();
    for (const [name, delayMs] of [30, 10, 20, 10].entries()) queue.add(new Noted(name, expired), delayMs);
    pass(9);
    expect(expired).toEqual([]);
    pass(1);
    expect(expired.sort()).toEqual([1, 3]);
    pass(10);
    expect(expired.at(-1)).toBe(2);
    pass(10);
    expect(expired.at(-1)).toBe(0);
    expect(queue.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has one timer, however many wait', () => {
    const queue = new DeadlineQueue();
    for (let i = 0; i < 1_000; i += 1) queue.add(new Noted(i, []), 100 - (i % 50));
    expect(vi.getTimerCount()).toBe(1);
  });

  it('forgets what is removed, once', () => {
    const expired: number[] = [];
    const queue = new DeadlineQueue();
    const all = [5, 15, 10].map((delayMs, name) => {
      const deadline = new Noted(name, expired);
      queue.add(deadline, delayMs);
      return deadline;
    });
    queue.remove(all[0]!);
    queue.remove(all[0]!);
    expect(queue.size).toBe(2);
    pass(20);
    expect(expired).toEqual([2, 1]);
    queue.remove(all[1]!);
    expect(queue.size).toBe(0);
  });

  it('takes further ones while others expire', () => {
    const expired: number[] = [];
    const queue = new DeadlineQueue();
    const second = new Noted(2, expired);
    const first = new Noted(1, expired);
    first.expire = () => {
      expired.push(1);
      queue.add(second, 3);
    };
    queue.add(first, 10);
    pass(12);
    expect(expired).toEqual([1]);
    pass(1);
    expect(expired).toEqual([1, 2]);
  });

  it('lets nothing expire once it is stopped', () => {
    const expired: number[] = [];
    const queue = new DeadlineQueue();
    queue.add(new Noted(1, expired), 10);
    queue.stop();
    pass(100);
    expect(expired).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('agrees with a sorted list over 10,000 random operations', () => {
    const random = new SeededRandom(7);
    const queue = new DeadlineQueue();
    const expired: number[] = [];
    const model = new Map<number, { deadline: Noted; dueAt: number }>();
    let now = 0;
    for (let i = 0; i < 10_000; i += 1) {
      const kind = random.below(4);
      if (kind < 2) {
        const [deadline, delayMs] = [new Noted(i, expired), 1 + random.below(200)];
        queue.add(deadline, delayMs);
        model.set(i, { deadline, dueAt: now + delayMs });
      } else if (kind === 2 && model.size > 0) {
        const name = [...model.keys()][random.below(model.size)]!;
        queue.remove(model.get(name)!.deadline);
        model.delete(name);
      } else {
        const ms = random.below(5);
        pass(ms);
        now += ms;
        const due = [...model].filter(([, { dueAt }]) => dueAt <= now);
        due.sort(([, one], [, other]) => one.dueAt - other.dueAt);
        const times = expired.splice(0).map((name) => model.get(name)?.dueAt);
        expect(times).toEqual(due.map(([, { dueAt }]) => dueAt));
        for (const [name] of due) model.delete(name);
      }
      expect(queue.size).toBe(model.size);
    }
  });

  it('reads the input that has arrived before it lets a deadline expire', async () => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    const expired: number[] = [];
    const queue = new DeadlineQueue();
    const deadline = new Noted(1, expired);
    const child = spawn('sh', ['-c', 'read line; echo reply']);
    const reply = new Promise<void>((resolve) => {
      child.stdout.once('data', () => {
        queue.remove(deadline);
        resolve();
      });
    });
    queue.add(deadline, 100);
    child.stdin.write('go\n');
    // Written to the child, the process stands still until long after the deadline.
    setImmediate(() => {
      for (const end = performance.now() + 400; performance.now() < end; );
    });
    await reply;
    expect(expired).toEqual([]);
  });
});
