import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SessionClient, type TransportChoice } from '../../src/index.ts';
import { ItemHasher } from '../../src/knowledge/index.ts';
import { HEARTBEAT_TTL_MS } from '../../src/protocol/heartbeat.ts';
import { createConnection, Keys, partitionOf } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { PATIENCE_MS } from '../../src/transport/streams/entry-server.ts';
import { readHead } from '../support/subject-records.ts';
import type { TestClusterNode } from '../support/test-cluster.ts';
import { useCluster } from '../support/use-cluster.ts';
import { waitUntil } from '../support/wait-until.ts';

/* One of three masters is away and nobody takes its place: for the sessions of the other two nothing changes, for as
 * long as it lasts. Heartbeats (1,750 ms) must go on, the clients' inboxes may lie on the one that is away. */

const SECRET = 'a secret of the tests, long enough';
/** Longer than it takes until an instance counts as gone that is not heard. */
const AWAY_MS = 2 * HEARTBEAT_TTL_MS;
const keys = new Keys('sw');

const cluster = useCluster({
  nodeTimeoutMs: 20_000,
  persistence: true,
  extraArgs: ['--cluster-require-full-coverage', 'no'],
});
let service: Service;
const clients: SessionClient[] = [];

beforeEach(async () => {
  service = await startService({ redis: cluster.url, secret: SECRET, transport: 'both' });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await service?.stop(1_000);
});

async function openClient(transport: TransportChoice): Promise<SessionClient> {
  const client = new SessionClient({ redis: cluster.url, transport, deadlineMs: 5_000 });
  clients.push(client);
  expect(await client.ready()).toBe(true);
  return client;
}

/** The first name of a row for which `keyOf` lies on a master. */
async function nameOn(node: TestClusterNode, prefix: string, keyOf: (name: string) => string): Promise<string> {
  for (let i = 0; ; i += 1) {
    if ((await cluster.masterOf(keyOf(`${prefix}${i}`))).index === node.index) return `${prefix}${i}`;
  }
}

/** Where the inbox of a client hears its replies, as CLIENT LIST says. */
async function hasInboxOn(node: TestClusterNode): Promise<boolean> {
  return /name=sessionwise-replies/.test(await node.command<string>('CLIENT', 'LIST'));
}

describe('while one master of a Cluster is away', () => {
  it.each(['channels', 'streams'] as const)('the sessions of the others are served over %s', async (transport) => {
    const [one, , dead] = cluster.nodes;
    const client = await openClient(transport);
    // Its replies are heard on a master that stays.
    while (await hasInboxOn(dead!)) {
      await clients.pop()!.close();
      clients.push(await openClient(transport));
    }
    const session = await nameOn(one!, 's', (name) => keys.record(name));
    const asking = clients.at(-1) ?? client;
    expect(await asking.request('pageview', session, '/a')).toMatchObject({ totalPages: 1 });
    cluster.kill(dead!, 'SIGKILL');
    await sleep(AWAY_MS);
    // One that was under way when the master went may have been lost; from now on none is.
    const before = asking.counters.degraded;
    for (let views = 2; views <= 11; views += 1) {
      expect(await asking.request('pageview', session, '/a')).toMatchObject({ totalPages: views });
    }
    expect(asking.counters.degraded).toEqual(before);
  });

  it('a client whose replies were to come from there hears them from another', async () => {
    const [one, , dead] = cluster.nodes;
    const session = await nameOn(one!, 's', (name) => keys.record(name));
    let client = await openClient('channels');
    while (!(await hasInboxOn(dead!))) {
      await clients.pop()!.close();
      client = await openClient('channels');
    }
    cluster.kill(dead!, 'SIGKILL');
    await waitUntil(
      'it is answered again',
      async () => (await client.request('surface', session, ['/a'])) !== undefined,
    );
    const before = client.counters.degraded;
    for (let i = 0; i < 10; i += 1) expect(await client.request('surface', session, ['/a'])).toEqual(['/a']);
    expect(client.counters.degraded).toEqual(before);
  });

  it('a view counts although its answer could not be heard', async () => {
    const [one, , dead] = cluster.nodes;
    const session = await nameOn(one!, 's', (name) => keys.record(name));
    let client = await openClient('streams');
    while (!(await hasInboxOn(dead!))) {
      await clients.pop()!.close();
      client = await openClient('streams');
    }
    cluster.kill(dead!, 'SIGKILL');
    await waitUntil('the client knows', async () => (await client.request('combo', session, '')) === undefined);
    for (let i = 0; i < 5; i += 1) expect(await client.request('pageview', session, '/a')).toBeUndefined();
    const other = await createConnection(one!.url).connect();
    await waitUntil('all five are counted', async () => (await readHead(other, session))?.views === 5);
    await other.close();
  });

  it('what needs it waits in its stream and uses up no try', async () => {
    const [one, dead] = cluster.nodes;
    const items = new ItemHasher(SECRET, 'sw');
    const notice = await nameOn(dead!, 'n', (id) => keys.noticeIndex(items.of('notice', id)));
    const session = await nameOn(one!, 's', (name) => keys.record(name));
    const partition = partitionOf(session);
    const client = await openClient('streams');
    cluster.kill(dead!, 'SIGKILL');
    await waitUntil('it is taken', () => client.publish('mark-notification-seen', session, notice));
    // Beyond the patience of two tries. The one that is being made is counted, and taken back.
    await sleep(2.1 * PATIENCE_MS);
    const lone = await createConnection(one!.url).connect();
    expect(await lone.command('XLEN', keys.requests(partition))).toBe(1);
    const tries = Object.values(await lone.command<Record<string, string>>('HGETALL', keys.tries(partition)));
    expect(tries.filter((count) => Number(count) > 1)).toEqual([]);
    expect(await lone.command('XLEN', keys.deadLetters(partition))).toBe(0);
    await cluster.restart(dead!);
    await waitUntil('it was done', async () => (await lone.command('XLEN', keys.requests(partition))) === 0, 20_000);
    expect(await lone.command('XLEN', keys.deadLetters(partition))).toBe(0);
    await lone.close();
  });
});
