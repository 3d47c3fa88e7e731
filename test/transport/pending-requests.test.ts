import { describe, expect, it } from 'vitest';
import { PendingRequests } from '../../src/transport/client/pending-requests.ts';
import { NO_ANSWER, type Outcome } from '../../src/transport/transport.ts';

describe('a request that waits', () => {
  it('is found by its number until it is forgotten, and counted once', () => {
    const waiting = new PendingRequests();
    const one = (): void => {};
    const two = (): void => {};
    waiting.add(1, one);
    waiting.add(2 ** 40, two);
    expect(waiting.size).toBe(2);
    expect(waiting.get(1)).toBe(one);
    expect(waiting.get(2 ** 40)).toBe(two);
    expect(waiting.get(3)).toBeUndefined();
    waiting.delete(1);
    waiting.delete(1);
    waiting.delete(3);
    expect(waiting.get(1)).toBeUndefined();
    expect(waiting.size).toBe(1);
  });

  it('is told all the same outcome, also where that makes it forget itself', () => {
    const waiting = new PendingRequests();
    const told: [number, Outcome][] = [];
    for (const number of [1, 2, 3]) {
      waiting.add(number, (outcome) => {
        waiting.delete(number);
        told.push([number, outcome]);
      });
    }
    waiting.settleAll(NO_ANSWER.disconnected);
    expect(told).toEqual([1, 2, 3].map((number) => [number, NO_ANSWER.disconnected]));
    expect(waiting.size).toBe(0);
  });
});
