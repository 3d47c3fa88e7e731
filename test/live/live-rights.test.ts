import { expect, it, onTestFinished } from 'vitest';
import { LiveFeed } from '../../src/live/live-feed.ts';
import { createConnection, Keys } from '../../src/redis/index.ts';
import { startAclRedis } from '../support/acl-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

it('warns where Redis refuses what live streams read, and begins when it does no more', async () => {
  const redis = await startAclRedis();
  onTestFinished(() => redis.stop());
  const warnings: Error[] = [];
  const listener = (warning: Error): void => void warnings.push(warning);
  process.on('warning', listener);
  onTestFinished(() => void process.off('warning', listener));
  const keys = new Keys('sw');
  const connection = await createConnection(redis.as('app')).connect();
  const nothing = (): void => undefined;
  const feed = new LiveFeed(connection, keys, {
    begin: nothing,
    event: nothing,
    ended: nothing,
    gap: nothing,
    identified: nothing,
  });
  onTestFinished(async () => {
    await feed.stop();
    await connection.close();
  });
  feed.start();
  await waitUntil('it warns', () => warnings.length > 0);
  expect(warnings).toMatchObject([{ code: 'SESSIONWISE_LIVE_REFUSED' }]);
  expect(warnings[0]!.message).toContain('`sessionwise acl --live` prints the rights.');
  await redis.admin.command('ACL', 'SETUSER', 'app', '~*', '+xread', '+xrange', '+xrevrange');
  await feed.ready;
  expect(feed.position).toBe('0-0');
});
