import { describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { useRedis } from '../support/use-redis.ts';

const server = useRedis();
const { redis } = server;

/** Collects the uncaught errors of a test, which would otherwise fail the run. */
function catchUncaught(): unknown[] {
  const before = process.listeners('uncaughtException');
  const errors: unknown[] = [];
  process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => errors.push(error));
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of before) process.on('uncaughtException', listener);
  });
  return errors;
}

describe('a listener of the application that throws', () => {
  it('leaves no question of the turn without its end, where no page waits any more', async () => {
    // Somebody takes the requests and answers none.
    const deaf = await redis.duplicate('deaf').connect();
    onTestFinished(() => deaf.close());
    await deaf.subscribePatterns(['ss:*'], () => {});
    const client = new SessionClient({ redis: server.url, deadlineMs: 20 });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    for (let i = 0; i < 5; i += 1) await client.request('combo', 'abc', '');
    const uncaught = catchUncaught();
    client.on('degraded', () => {
      throw new Error('of the application');
    });
    const page = client.session('abc');
    const asked = [page.surface(['/a']), page.suggestions(), page.analytics(), page.notifications(['n1'])];
    expect(await Promise.all(asked)).toEqual([undefined, undefined, undefined, undefined]);
    expect(client.counters.degraded).toEqual({ deadline: 5, 'breaker-open': 4 });
    expect(uncaught).toHaveLength(4);
  });
});
