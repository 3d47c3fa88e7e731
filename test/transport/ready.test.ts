import { expect, it, onTestFinished, vi } from 'vitest';
import { ConditionVariable } from '../../src/async/index.ts';
import { RedisTransport } from '../../src/transport/client/redis-transport.ts';
import { InlineTransport } from '../../src/transport/inline/inline-transport.ts';
import { useRedis } from '../support/use-redis.ts';

/* To wait for a transport costs one timer, that of the deadline: a page that comes with the process's first breath finds
 * thousands that wait. */

const DEADLINE_MS = 10_123;

const server = useRedis();

function open(url: string): RedisTransport {
  const transport = new RedisTransport({
    redis: url,
    namespace: 'sw',
    replies: 'inbox',
    blockingConnections: 1,
    maxPending: 100,
    maxBacklog: 100,
  });
  onTestFinished(() => transport.close());
  return transport;
}

it('ready() waits for events: one timer for its deadline, and a look at each event only', async () => {
  server.kill('SIGSTOP');
  const transport = open(server.url);
  const looks = vi.spyOn(transport, 'isReady', 'get');
  const timers = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => timers.mockRestore());
  const waits = [transport.ready(DEADLINE_MS), transport.ready(DEADLINE_MS)];
  expect(timers.mock.calls.map(([, ms]) => ms)).toEqual([DEADLINE_MS, DEADLINE_MS]);
  // The event loop goes round for a while, and nobody looks.
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const before = looks.mock.calls.length;
  expect(before).toBe(2);
  server.kill('SIGCONT');
  expect(await Promise.all(waits)).toEqual([true, true]);
  // Two connections and two subscriptions, for each of the two.
  expect(looks.mock.calls.length).toBeLessThanOrEqual(2 + 2 * 4);
  const short = timers.mock.calls.filter(([, ms]) => ms === 5);
  expect(short).toEqual([]);
});

it('ready() says at its deadline that it is not', async () => {
  const transport = open('unix:///nowhere/redis.sock');
  expect(await transport.ready(20)).toBe(false);
  expect(await transport.ready(0)).toBe(false);
});

it('ready() of a service in the same process waits for its word, and polls nothing', async () => {
  const readiness = new ConditionVariable();
  let isReady = false;
  const looks = vi.fn(() => isReady);
  const transport = new InlineTransport(async () => ({ json: '' }), looks, readiness);
  const timers = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => timers.mockRestore());
  const waits = [transport.ready(DEADLINE_MS), transport.another().ready(DEADLINE_MS)];
  expect(timers.mock.calls.map(([, ms]) => ms)).toEqual([DEADLINE_MS, DEADLINE_MS]);
  readiness.notifyAll();
  isReady = true;
  readiness.notifyAll();
  expect(await Promise.all(waits)).toEqual([true, true]);
  expect(looks).toHaveBeenCalledTimes(2 * 3);
});
