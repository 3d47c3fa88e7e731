import { expect, it } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

it('a client whose user may not hear replies says so, waits for none, and still publishes', async () => {
  const server = await startTestRedis({
    extraArgs: ['--user', 'limited', 'on', '>secret', '~*', 'resetchannels', '&ss:*', '+@all'],
  });
  const client = new SessionClient({
    redis: { path: server.socketPath, username: 'limited', password: 'secret' },
    deadlineMs: 20_000,
  });
  const told: string[] = [];
  client.on('down', ({ message }) => told.push(message));
  try {
    await waitUntil('it says so', () => told.some((message) => message.startsWith('NOPERM')));
    expect(await client.ready(20)).toBe(false);
    expect(await client.request('pageview', 'abc', '/a')).toBeUndefined();
    expect(client.counters.degraded).toEqual({ disconnected: 1 });
    // Nobody listens: that much is known.
    expect(await client.publish('pageview', 'abc', '/a')).toBe(false);
  } finally {
    await client.close();
    await server.stop();
  }
});
