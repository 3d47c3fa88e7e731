import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { createConnection } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { untilTogether } from '../support/until-together.ts';
import { useRedis } from '../support/use-redis.ts';

/* What `publish` says of a view that leads the page's message: as of one that travels alone, whether it was taken as far as
 * is known. */

const SHORT_MS = 60;

const server = useRedis({ eachTest: 'kept' });
let service: Service;

beforeAll(async () => {
  service = await startService({ redis: server.url, secret: 'a secret of the tests, long enough' });
});
afterAll(async () => {
  await service?.stop();
});

async function open(replies: 'inbox' | 'list'): Promise<SessionClient> {
  const client = new SessionClient({ redis: server.url, deadlineMs: 10_000, replies });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  await untilTogether(client);
  return client;
}

/** Publishes a view in front of a question, in one message, and returns what `publish` says. */
async function publishAndAsk(client: SessionClient): Promise<boolean> {
  const { messages } = client.counters;
  const page = client.session('visitor', { deadlineMs: SHORT_MS });
  const [isTaken, answer] = await Promise.all([page.publish('pageview', '/a'), page.unseen(['/b'])]);
  expect(answer).toBeUndefined();
  expect(client.counters.messages).toBe(messages + 1);
  return isTaken;
}

describe.each(['inbox', 'list'] as const)('a view that leads its message, replies over %s', (replies) => {
  it('was not taken, as far as is known, where Redis did not answer by the deadline', async () => {
    const client = await open(replies);
    server.kill('SIGSTOP');
    try {
      expect(await publishAndAsk(client)).toBe(false);
      expect(client.counters.unheard).toBe(1);
    } finally {
      server.kill('SIGCONT');
    }
  });

  it('was taken where a service has it and only its answer is late', async () => {
    const client = await open(replies);
    const silent = await createConnection(server.url, 'silent').connect();
    onTestFinished(() => silent.close());
    await service.stop();
    // Subscribed as a service is, and answers nothing.
    await silent.subscribePatterns(['ss:*'], () => {});
    expect(await publishAndAsk(client)).toBe(true);
    service = await startService({ redis: server.url, secret: 'a secret of the tests, long enough' });
  });
});
