import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { PendingWrites } from '../../src/knowledge/pending-writes.ts';

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

describe('the writes of a subject that are under way', () => {
  it('keep nothing of those before them, where it is never idle', async () => {
    const writes = new PendingWrites();
    const answers: WeakRef<object>[] = [];
    let endBefore = (): void => {};
    for (let i = 0; i < 200; i += 1) {
      const end = endBefore;
      // Each begins before the one in front of it ends.
      void writes.add(
        'busy',
        new Promise((resolve) => {
          endBefore = () => {
            const answer = { number: i };
            answers.push(new WeakRef(answer));
            resolve(answer);
          };
        }),
      );
      end();
      await nextTurn();
    }
    collectGarbage();
    expect(answers.filter((answer) => answer.deref() !== undefined).length).toBeLessThan(10);
    expect(writes.settled('busy')).toBeDefined();
    endBefore();
    await writes.settled('busy');
    expect(writes.settled('busy')).toBeUndefined();
  });

  it('are waited for, also where one fails', async () => {
    const writes = new PendingWrites();
    const first = writes.add('one', Promise.reject(new Error('refused')));
    const second = writes.add('one', Promise.resolve('written'));
    await expect(first).rejects.toThrow('refused');
    await writes.settled('one');
    expect(await second).toBe('written');
    expect(writes.settled('one')).toBeUndefined();
    expect(writes.settled('nobody')).toBeUndefined();
  });
});
