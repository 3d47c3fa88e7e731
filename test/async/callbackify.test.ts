import { describe, expect, it, vi } from 'vitest';
import { callbackify } from '../../src/async/index.ts';

const ticks = () => new Promise((resolve) => setImmediate(resolve));

describe('callbackify', () => {
  it('returns the promise itself where there is no callback', () => {
    const promise = Promise.resolve(1);
    expect(callbackify(promise, undefined)).toBe(promise);
  });

  it('calls back once with the result, and returns nothing', async () => {
    const callback = vi.fn();
    expect(callbackify(Promise.resolve('done'), callback)).toBeUndefined();
    await ticks();
    expect(callback.mock.calls).toEqual([[null, 'done']]);
  });

  it('calls back once with the error of a rejection', async () => {
    const callback = vi.fn();
    const error = new Error('refused');
    void callbackify(Promise.reject(error), callback);
    await ticks();
    expect(callback.mock.calls).toEqual([[error]]);
  });

  it('calls back again with the error that the callback throws', async () => {
    const thrown = new Error('from the callback');
    const callback = vi.fn((error: unknown) => {
      if (error === null) throw thrown;
    });
    void callbackify(Promise.resolve('done'), callback);
    await ticks();
    expect(callback.mock.calls).toEqual([[null, 'done'], [thrown]]);
  });
});
