import { expect, it, onTestFinished } from 'vitest';
import { NotAcknowledgedError, ProtocolError, SessionClient } from '../../src/index.ts';
import { startService } from '../../src/service/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { TEST_SECRET } from '../support/use-test-data.ts';

/* Writing notices: each method fails where nothing acknowledged it. */

const server = useRedis();

async function open(): Promise<SessionClient> {
  const client = new SessionClient({ redis: server.url });
  onTestFinished(() => client.close());
  await client.ready();
  return client;
}

it('fails where no service answers, each method, and says why', { timeout: 60_000 }, async () => {
  const { notices } = await open();
  const to = { group: 'all' };
  const asked = [
    notices.publish({ to, id: 'n', text: 'T' }),
    notices.edit('n', { text: 'U' }),
    notices.withdraw('n'),
    notices.list(to),
    notices.stats(['n']),
    notices.setGroup('all', { join: 'now' }),
  ];
  for (const { status, reason } of (await Promise.allSettled(asked)) as PromiseRejectedResult[]) {
    expect(status).toBe('rejected');
    expect(reason).toBeInstanceOf(NotAcknowledgedError);
    expect(reason).toMatchObject({ code: 'NOT_ACKNOWLEDGED', reason: expect.any(String) });
  }
});

it('fails where the service refuses, and for what cannot be used at once', async () => {
  const service = await startService({ redis: server.url, secret: TEST_SECRET });
  onTestFinished(() => service.stop());
  const { notices } = await open();
  const old = { to: { group: 'all' }, id: 'n', text: 'T', expiresAt: 1_000 };
  // Not "it may have been done, do it again": it never will be.
  await expect(notices.publish(old)).rejects.toThrow(ProtocolError);
  await expect(notices.publish(old)).rejects.toThrow(/^"expiresAt" is not after the time from which on it is shown\.$/);
  await expect(notices.publish({ ...old, text: '' })).rejects.toThrow(ProtocolError);
  await expect(notices.list({} as { group: string })).rejects.toThrow(ProtocolError);
});
