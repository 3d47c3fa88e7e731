import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { PendingWrites } from '../../src/knowledge/pending-writes.ts';

/** A write that is settled from outside. */
function makeWrite(): { readonly promise: Promise<object>; settle(): void; fail(): void } {
  let [settle, fail] = [(): void => {}, (): void => {}];
  const promise = new Promise<object>((resolve, reject) => {
    settle = () => resolve({ answer: 'of this write' });
    fail = () => reject(new Error('of this write'));
  });
  return { promise, settle: () => settle(), fail: () => fail() };
}

describe('PendingWrites', () => {
  it('holds no answer of a write that has settled, however many follow before it is done', async () => {
    const writes = new PendingWrites();
    let last = makeWrite();
    void writes.add('someone', last.promise);
    for (let i = 0; i < 5; i += 1) {
      const next = makeWrite();
      void writes.add('someone', next.promise);
      last.settle();
      last = next;
    }
    const settled = writes.settled('someone');
    last.settle();
    // What it is settled with, each later one would hold too.
    expect(await settled).toBeUndefined();
  });

  it('waits for all of a subject, also where one fails, and for no other subject', async () => {
    const writes = new PendingWrites();
    const [first, second, others] = [makeWrite(), makeWrite(), makeWrite()];
    writes.add('someone', first.promise).catch(() => undefined);
    void writes.add('someone', second.promise);
    void writes.add('another', others.promise);
    let isSettled = false;
    void writes.settled('someone')!.then(() => {
      isSettled = true;
    });
    second.settle();
    await nextTurn();
    expect(isSettled).toBe(false);
    first.fail();
    await nextTurn();
    expect(isSettled).toBe(true);
    expect(writes.settled('someone')).toBeUndefined();
    expect(writes.settled('another')).toBeDefined();
  });
});
