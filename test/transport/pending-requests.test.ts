import { describe, expect, it } from 'vitest';
import { PendingRequests } from '../../src/transport/client/pending-requests.ts';
import { NO_ANSWER } from '../../src/transport/transport.ts';

const LONG_MS = 20_000;
const ANSWER = { answered: true, json: '1' } as const;

describe('a request that waits', () => {
  it('gets the outcome of its number, once', async () => {
    const waiting = new PendingRequests();
    const one = waiting.add(1, LONG_MS);
    const two = waiting.add(2 ** 40, LONG_MS);
    expect(waiting.size).toBe(2);
    expect(waiting.settle(3, ANSWER)).toBe(false);
    expect(waiting.settle(2 ** 40, ANSWER)).toBe(true);
    expect(waiting.settle(2 ** 40, ANSWER)).toBe(false);
    expect(await two).toEqual(ANSWER);
    expect(waiting.size).toBe(1);
    expect(waiting.settle(1, NO_ANSWER['nobody-listens'])).toBe(true);
    expect(await one).toEqual({ answered: false, reason: 'nobody-listens' });
    expect(waiting.size).toBe(0);
  });

  it('waits until its deadline, and others wait on', async () => {
    const waiting = new PendingRequests();
    const [late, early] = [waiting.add(1, LONG_MS), waiting.add(2, 5)];
    expect(await early).toEqual(NO_ANSWER.deadline);
    expect(waiting.settle(2, ANSWER)).toBe(false);
    expect(waiting.size).toBe(1);
    waiting.settleAll(NO_ANSWER.disconnected);
    expect(await late).toEqual(NO_ANSWER.disconnected);
  });

  it('is told the same outcome as all others at the end', async () => {
    const waiting = new PendingRequests();
    const outcomes = [1, 2, 3].map((number) => waiting.add(number, LONG_MS));
    waiting.settleAll(NO_ANSWER.disconnected);
    expect(await Promise.all(outcomes)).toEqual(outcomes.map(() => NO_ANSWER.disconnected));
    expect(waiting.size).toBe(0);
  });
});
