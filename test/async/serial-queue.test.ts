import { describe, expect, it } from 'vitest';
import { SerialQueue } from '../../src/async/index.ts';

/** Work that ends when it is told to. */
function heldWork<Result>(log: string[], name: string): { work: () => Promise<Result>; end(result: Result): void } {
  let resolve!: (result: Result) => void;
  const done = new Promise<Result>((settle) => {
    resolve = settle;
  });
  return {
    work: () => {
      log.push(`${name} begins`);
      return done;
    },
    end: (result) => {
      log.push(`${name} ends`);
      resolve(result);
    },
  };
}

const ticks = () => new Promise((resolve) => setImmediate(resolve));

describe('SerialQueue', () => {
  it('begins work at once where its key has none', () => {
    const queue = new SerialQueue();
    const log: string[] = [];
    void queue.run('a', heldWork(log, 'first').work);
    void queue.run('b', heldWork(log, 'other').work);
    expect(log).toEqual(['first begins', 'other begins']);
    expect(queue.size).toBe(2);
  });

  it('runs the work of a key in order, one at a time, and gives each its result', async () => {
    const queue = new SerialQueue();
    const log: string[] = [];
    const [first, second, third] = ['first', 'second', 'third'].map((name) => heldWork<number>(log, name));
    const results = Promise.all([first!, second!, third!].map(({ work }) => queue.run('key', work)));
    for (const [i, held] of [first, second, third].entries()) {
      await ticks();
      held!.end(i);
    }
    expect(await results).toEqual([0, 1, 2]);
    expect(log).toEqual(['first begins', 'first ends', 'second begins', 'second ends', 'third begins', 'third ends']);
  });

  it('runs work behind a failure, which only its own caller sees', async () => {
    const queue = new SerialQueue();
    const failing = queue.run('key', () => Promise.reject(new Error('broken')));
    const behind = queue.run('key', async () => 'done');
    await expect(failing).rejects.toThrow('broken');
    expect(await behind).toBe('done');
  });

  it('tells the last work of a key, and forgets a key when its work is done', async () => {
    const queue = new SerialQueue();
    const held = heldWork<string>([], 'it');
    const key = {};
    const result = queue.run(key, held.work);
    const last = queue.last(key);
    expect(last).toBeInstanceOf(Promise);
    expect(queue.last({})).toBeUndefined();
    held.end('done');
    expect(await last).toBe('done');
    await result;
    expect(queue.last(key)).toBeUndefined();
    expect(queue.size).toBe(0);
  });
});
