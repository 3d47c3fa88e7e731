import { describe, expect, it } from 'vitest';
import { ExactCount } from '../../../src/cli/replay/exact-count.ts';
import { inFlight } from '../../../src/cli/replay/in-flight.ts';
import { Latencies } from '../../../src/cli/replay/latencies.ts';
import { ProgressBar } from '../../../src/cli/replay/progress-bar.ts';

describe('the exact count of a replay', () => {
  it('views, pages and minutes of each session', () => {
    const exact = new ExactCount();
    expect(exact.view('s', '/a', 0)).toEqual({ views: 1, seen: false });
    expect(exact.view('s', '/b', 59_999)).toEqual({ views: 2, seen: false });
    expect(exact.view('s', '/a', 60_000)).toEqual({ views: 3, seen: true });
    expect(exact.view('t', '/a', 0)).toEqual({ views: 1, seen: false });
    expect([...exact.sessions.get('s')!.minutes]).toEqual([0, 1]);
    expect(exact.pages).toEqual(['/a', '/b']);
  });
});

describe('the work of a replay in flight', () => {
  it('starts in order, never more than the limit, and ends when all is done', async () => {
    const started: number[] = [];
    let now = 0;
    let most = 0;
    await inFlight([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      started.push(item);
      now += 1;
      most = Math.max(most, now);
      for (let turn = 0; turn < 8 - item; turn += 1) await undefined; // the later ones are quicker
      now -= 1;
    });
    expect({ started, most, now }).toEqual({ started: [1, 2, 3, 4, 5, 6, 7], most: 3, now: 0 });
  });

  it('a failure stops it, and is thrown when nothing is in flight any more', async () => {
    let finished = 0;
    const work = async (item: number): Promise<void> => {
      if (item === 2) throw new Error('second');
      await new Promise(setImmediate);
      finished += 1;
    };
    await expect(
      inFlight(
        Array.from({ length: 100 }, (_, i) => i),
        4,
        work,
      ),
    ).rejects.toThrow('second');
    expect(finished).toBeLessThan(8);
  });

  it('an abort stops it', async () => {
    const ending = new AbortController();
    const work = async (item: number): Promise<void> => {
      if (item === 2) ending.abort(new Error('enough'));
      await undefined;
    };
    await expect(inFlight([1, 2, 3], 1, work, ending.signal)).rejects.toThrow('enough');
  });
});

it('latencies: quantiles are at most 2 % too high', () => {
  const latencies = new Latencies();
  expect(latencies.quantile(0.5)).toBeNull();
  for (let ms = 1; ms <= 1000; ms += 1) latencies.add(ms);
  for (const [share, ms] of [
    [0.5, 500],
    [0.99, 990],
    [1, 1000],
  ] as const) {
    expect(latencies.quantile(share)).toBeGreaterThanOrEqual(ms);
    expect(latencies.quantile(share)).toBeLessThanOrEqual(ms * 1.0201);
  }
  latencies.add(0);
  expect(latencies.quantile(0)).toBeLessThanOrEqual(0.01);
});

describe('the progress bar of a replay', () => {
  const drawn = (target: { isTTY?: boolean; columns?: number }, progress: () => number | undefined) => {
    let text = '';
    let now = 0;
    const write = (more: string): void => {
      text += more;
    };
    const bar = new ProgressBar({ ...target, write }, progress, () => now);
    now = 2_000;
    bar.update(1_000);
    now = 2_050;
    bar.update(1_001); // too soon
    return { text, bar, all: () => text };
  };

  it('tells share, rate and what is left', () => {
    const { text, bar, all } = drawn({ isTTY: true, columns: 100 }, () => 0.25);
    expect(text).toBe('\r\x1b[2K[######------------------]  25 %  1,000 requests, 500/s, 6 s left');
    bar.clear();
    expect(all().endsWith('\r\x1b[2K')).toBe(true);
  });

  it('from a pipe it tells no share', () => {
    expect(drawn({ isTTY: true, columns: 100 }, () => undefined).text).toBe('\r\x1b[2K1,000 requests, 500/s');
  });

  it('never wraps, and draws nothing where there is no terminal', () => {
    expect(drawn({ isTTY: true, columns: 20 }, () => 0.25).text).toHaveLength('\r\x1b[2K'.length + 19);
    const { bar, all } = drawn({}, () => 0.25);
    bar.clear();
    expect(all()).toBe('');
  });
});
