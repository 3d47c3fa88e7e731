import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { collectStrayErrors } from '../support/stray-errors.ts';
import { useRedis } from '../support/use-redis.ts';

/* The application's own listener throws. That is its own uncaught error, and no page waits for ever because of it. */

const server = useRedis();

describe('a listener of `degraded` that throws', () => {
  it.each<[string, (client: SessionClient) => Promise<unknown>[]]>([
    [
      'of questions that travel alone',
      (client) => {
        const page = client.session('someone', { deadlineMs: 0.5 });
        return [page.unseen(['/tv']), page.suggestions(), page.figures()];
      },
    ],
    [
      'of pages of one turn',
      (client) =>
        ['a', 'b', 'c'].map((session) => client.session(session, { deadlineMs: 0.5 }).notices.annotate(['n1'])),
    ],
    [
      'of what cannot be sent',
      (client) => [client.session('someone').unseen(['']), client.request('surface', 'someone', [''])],
    ],
  ])('keeps no answer from the pages: %s', async (_, ask) => {
    const client = new SessionClient({ redis: server.url });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    const strays = collectStrayErrors();
    client.on('degraded', ({ command }) => {
      throw new Error(`of the application: ${command}`);
    });
    const asked = ask(client);
    expect(await Promise.all(asked)).toEqual(asked.map(() => undefined));
    const counted = Object.values(client.counters.degraded).reduce((sum, count) => sum + count, 0);
    expect(counted).toBe(asked.length);
    await once(process, 'nothing', { signal: AbortSignal.timeout(1) }).catch(() => undefined);
    expect(strays).toHaveLength(asked.length);
  });
});
