import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { SessionStore } from '../../src/adapters/express/index.ts';
import { SessionClient } from '../../src/index.ts';
import { createConnection, type RedisConnection } from '../../src/redis/index.ts';
import { startService } from '../../src/service/index.ts';
import { startTestCluster } from '../support/test-cluster.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { startTestSentinel } from '../support/test-sentinel.ts';
import { pace, waitUntil } from '../support/wait-until.ts';
import { allowed, SECRET, soakSeconds } from './streams-stage.ts';

/* Redis refuses everything for a while, the driver's PING included, and no connection is lost. Afterwards all is as before,
 * soon and without any event that says so. */

/** Longer than twice the driver's PING interval, so that each connection has one refused. */
const FAULT_MS = soakSeconds(0) > 0 ? 6_000 : 4_500;
const BACK_WITHIN_MS = 3_000;
// Not what is measured here: a loaded machine must not miss it.
const DEADLINE_MS = 1_000;

type Send = <Reply = unknown>(...command: string[]) => Promise<Reply>;
/** Begins; returns what ends it. */
type Fault = (servers: readonly Send[]) => Promise<() => Promise<void>>;

// A snapshot cannot take the place of a folder.
const misconf: Fault = async (servers) => {
  const files = await Promise.all(
    servers.map(async (send) => {
      const { dir } = await send<Record<string, string>>('CONFIG', 'GET', 'dir');
      const { dbfilename } = await send<Record<string, string>>('CONFIG', 'GET', 'dbfilename');
      return join(dir!, dbfilename!);
    }),
  );
  const snapshot = (status: string): Promise<unknown> =>
    Promise.all(
      servers.map(async (send) => {
        await send('BGSAVE');
        await waitUntil(`a snapshot ended ${status}`, async () =>
          (await send<string>('INFO', 'persistence')).includes(`rdb_last_bgsave_status:${status}`),
        );
      }),
    );
  await Promise.all(servers.map((send) => send('CONFIG', 'SET', 'save', '3600 1')));
  for (const file of files) mkdirSync(join(file, 'in the way'), { recursive: true });
  await snapshot('err');
  await expect(servers[0]!('PING')).rejects.toThrow('MISCONF');
  return async () => {
    for (const file of files) {
      rmdirSync(join(file, 'in the way'));
      rmdirSync(file);
    }
    await snapshot('ok');
  };
};

const busy: Fault = async (servers) => {
  await Promise.all(servers.map((send) => send('CONFIG', 'SET', 'lua-time-limit', '50')));
  const ended = Promise.allSettled(servers.map((send) => send('EVAL', 'while true do end', '0')));
  return async () => {
    // Over connections of their own: these wait for the script.
    await ended;
  };
};

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Stage {
  readonly url: string;
  /** Sends to each server that has data, over a connection of its own. */
  readonly servers: readonly Send[];
  /** The same over other connections. */
  readonly others: readonly Send[];
}

async function sendersTo(urls: readonly string[]): Promise<Send[]> {
  const connections = await Promise.all(urls.map((url) => createConnection(url, 'test').connect()));
  ends.push(() => Promise.all(connections.map((connection: RedisConnection) => connection.destroy())));
  return connections.map(
    (connection) =>
      (...command) =>
        connection.command(...command),
  );
}

async function stageOf(url: string, urls: readonly string[]): Promise<Stage> {
  return { url, servers: await sendersTo(urls), others: await sendersTo(urls) };
}

async function oneServer(): Promise<Stage> {
  const server = await startTestRedis();
  ends.push(() => server.stop());
  return stageOf(server.url, [server.url]);
}

async function sentinel(): Promise<Stage> {
  const servers = await startTestSentinel();
  ends.push(() => servers.stop());
  const sentinels = await sendersTo(servers.sentinelPorts.map((port) => `redis://127.0.0.1:${port}`));
  // A master that refuses PING is else replaced.
  for (const send of sentinels) {
    await send('SENTINEL', 'SET', servers.masterName, 'down-after-milliseconds', '600000');
  }
  return stageOf(servers.url, [(await servers.master()).url]);
}

async function cluster(): Promise<Stage> {
  const servers = await startTestCluster();
  ends.push(() => servers.stop());
  return stageOf(
    servers.url,
    servers.nodes.map(({ url }) => url),
  );
}

describe.each([
  ['one server', 'MISCONF', oneServer, misconf],
  ['one server', 'BUSY', oneServer, busy],
  ['Sentinel', 'MISCONF', sentinel, misconf],
  ['Sentinel', 'BUSY', sentinel, busy],
  ['a Cluster', 'MISCONF', cluster, misconf],
] as const)('%s that answers %s to everything for a while', (_, code, open, fault) => {
  it('is served again soon, over all ways', { timeout: 60_000 }, async () => {
    const { url, servers, others } = await open();
    const service = await startService({
      redis: url,
      secret: SECRET,
      transport: 'both',
      http: { host: '127.0.0.1', port: 0 },
    });
    onTestFinished(() => service.stop());
    const readyz = async (): Promise<{ status: number; text: string }> => {
      const response = await fetch(`http://127.0.0.1:${service.http!.port}/readyz`);
      return { status: response.status, text: await response.text() };
    };
    const works: Record<string, () => Promise<boolean>> = { readyz: async () => (await readyz()).status === 200 };
    const stores: SessionStore[] = [];
    /** Makes what a serving layer has. */
    const openLayer = (when: string): void => {
      const clients = {
        inbox: new SessionClient({ redis: url, deadlineMs: DEADLINE_MS }),
        list: new SessionClient({ redis: url, deadlineMs: DEADLINE_MS, replies: 'list' }),
        streams: new SessionClient({ redis: url, deadlineMs: DEADLINE_MS, transport: 'streams' }),
      };
      for (const [name, client] of Object.entries(clients)) {
        onTestFinished(() => client.close());
        works[`${name} ${when}`] = async () =>
          (await client.request('pageview', `${name}-${when}`, '/a')) !== undefined;
      }
      const store = new SessionStore({ redis: url });
      stores.push(store);
      onTestFinished(() => store.close());
      works[`store ${when}`] = () =>
        store.set(`${when}.session`, { cookie: { originalMaxAge: null } } as never).then(
          () => true,
          () => false,
        );
    };
    openLayer('before');
    const allWork = (deadlineMs: number): Promise<unknown> =>
      Promise.all(Object.entries(works).map(([name, work]) => waitUntil(`${name} works`, work, deadlineMs)));
    await allWork(5_000);

    const end = await fault(servers);
    const endsAt = performance.now() + FAULT_MS;
    await waitUntil('readyz tells', async () => (await readyz()).text.includes(code));
    // Their connections stand, and what is done once on each is refused.
    openLayer('meanwhile');
    let isOver = false;
    const traffic = Object.values(works).map(async (work) => {
      while (!isOver) {
        await work();
        await pace();
      }
    });
    await waitUntil('the fault has lasted', () => performance.now() > endsAt);
    expect((await readyz()).status).toBe(503);
    if (code === 'BUSY') await Promise.all(others.map((send) => send('SCRIPT', 'KILL')));
    await end();
    await allWork(allowed(BACK_WITHIN_MS));
    isOver = true;
    await Promise.all(traffic);
    expect(stores.map(({ data }) => data.isUp)).toEqual([true, true]);
  });
});
