import { afterEach, describe, expect, it, vi } from 'vitest';
import { PARTITIONS } from '../../src/redis/index.ts';
import { startService } from '../../src/service/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { endChildren } from './child.ts';
import { SECRET, sharesOf, startServe } from './streams-stage.ts';

const server = useRedis();
const { redis } = server;

afterEach(async () => {
  vi.useRealTimers();
  await endChildren();
});

describe('an instance whose look at the partitions is not due', () => {
  it('takes those that another one gives back, because it is told', async () => {
    const old = await startServe(server.url);
    await waitUntil(
      'the first one owns all',
      async () => (await sharesOf(redis)).get(old.ready.instance) === PARTITIONS,
    );
    // From here on the heir's clock stands: it looks when this test says so.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const heir = await startService({ redis: server.url, transport: 'streams', secret: SECRET });
    try {
      await waitUntil('both own some', async () => {
        vi.advanceTimersByTime(200);
        return (await sharesOf(redis)).size === 2;
      });
      await old.kill('SIGTERM');
      expect(await old.exited).toBe(0);
      await waitUntil('the heir owns all', async () => {
        const shares = await sharesOf(redis);
        return !shares.has(old.ready.instance) && [...shares.values()][0] === PARTITIONS;
      });
    } finally {
      vi.useRealTimers();
      await heir.stop();
    }
  });
});
