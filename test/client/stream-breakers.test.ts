import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { startedAt } from '../transport/servers-under-test.ts';
import { TransportStage } from '../transport/transport-stage.ts';

const server = useRedis({ eachTest: 'kept' });
const stage = new TransportStage(['channels', 'streams']);
beforeAll(async () => {
  await stage.start(startedAt(server.url));
});
afterAll(async () => {
  await stage.stop();
});

const VIEW = {
  totalPages: 1,
  uniquePages: 1,
  previouslyVisited: false,
  activityThisMinute: false,
  activity: [0, 0, 0, 0, 0],
  newToSite: true,
  inactive: false,
};
const SERVED = JSON.stringify(VIEW);

it('the breakers of streams: where one partition hangs, only its sessions stop waiting, and only for what goes over streams', async () => {
  const client = new SessionClient({
    redis: server.url,
    transport: { pageview: 'streams', notifications: 'streams' },
    deadlineMs: 5_000,
  });
  try {
    expect(await client.ready()).toBe(true);
    const view = (session: string, deadlineMs?: number): Promise<unknown> =>
      client.request('pageview', session, '/a', deadlineMs === undefined ? {} : { deadlineMs });
    stage.dispatch = async (_, session) => (session === 'hangs' ? stage.hang() : SERVED);
    expect(await view('serves')).toEqual(VIEW);
    for (let i = 0; i < 5; i += 1) expect(await view('hangs', 30)).toBeUndefined();
    expect(client.counters.degraded).toEqual({ deadline: 5 });

    // Its breaker is open: no page waits, and its views are still taken.
    const before = performance.now();
    for (let i = 0; i < 20; i += 1) expect(await view('hangs')).toBeUndefined();
    expect(performance.now() - before).toBeLessThan(4_000);
    expect(client.counters.degraded).toEqual({ deadline: 5, 'breaker-open': 20 });
    // The sessions of other partitions are served, and so is this one over channels.
    for (const session of ['serves', 'a', 'b', 'c']) expect(await view(session)).toEqual(VIEW);
    stage.dispatch = async (command, session) => (session === 'hangs' && command === 'pageview' ? stage.hang() : '[]');
    expect(await client.request('surface', 'hangs', [])).toEqual([]);
    expect(client.counters.degraded).toEqual({ deadline: 5, 'breaker-open': 20 });

    // What hung goes on: a probe finds out, and all that was sent meanwhile is served.
    await stage.reset();
    stage.dispatch = async () => SERVED;
    await waitUntil('the breaker has closed', async () => (await view('hangs', 1_000)) !== undefined);
  } finally {
    await client.close();
  }
});
