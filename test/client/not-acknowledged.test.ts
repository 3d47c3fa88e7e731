import { expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { useRedis } from '../support/use-redis.ts';

const redis = useRedis();

it('a notice that nobody acknowledges is an error, and no degraded page', async () => {
  const client = new SessionClient({ redis: redis.url });
  onTestFinished(() => client.close());
  const degraded: unknown[] = [];
  client.on('degraded', (each) => degraded.push(each));
  const notice = { to: { group: 'news' }, id: 'n1', text: 'One' };
  // Before the connection is there, and when nobody serves.
  await expect(client.notices.publish(notice)).rejects.toMatchObject({ code: 'NOT_ACKNOWLEDGED' });
  expect(await client.ready()).toBe(true);
  await expect(client.notices.publish(notice)).rejects.toMatchObject({ code: 'NOT_ACKNOWLEDGED' });
  expect(degraded).toEqual([]);
});
