import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createToken, SessionClient, sessionOf } from '../../../src/index.ts';
import { Keys, partitionOf } from '../../../src/redis/index.ts';
import { exportSubject, forgetSubject, openNamespace, type Service, startService } from '../../../src/service/index.ts';
import type { ArchivedSession } from '../../../src/sessions/archived-session.ts';
import { SessionData, type SessionDataOptions } from '../../../src/sessions/index.ts';
import { ACL_PASSWORD, setUsers } from '../../support/acl-redis.ts';
import { askNotices } from '../../support/ask-notices.ts';
import { useCluster } from '../../support/use-cluster.ts';
import { TEST_SECRET } from '../../support/use-test-data.ts';
import { waitUntil } from '../../support/wait-until.ts';

/* A Cluster under the rules that `sessionwise acl --cluster` prints, each of its servers: Redis refuses nothing. */

const KEYS = new Keys('sw');
const PATIENT_MS = 10_000;

const cluster = useCluster({ eachTest: 'kept' });
let service: Service;
const archived: ArchivedSession[] = [];

const as = (username: string) => ({
  cluster: cluster.nodes.map(({ host, port }) => ({ host, port })),
  username,
  password: ACL_PASSWORD,
});

async function refusals(): Promise<unknown[]> {
  const logs = await Promise.all(cluster.nodes.map((node) => node.command<unknown[]>('ACL', 'LOG')));
  return logs.flat();
}

beforeAll(async () => {
  for (const node of cluster.nodes) {
    await setUsers((...args) => node.command(...args), { cluster: true, transport: 'both', store: true });
  }
  service = await startService({ redis: as('service'), secret: TEST_SECRET, transport: 'both' });
});
afterEach(async () => expect(await refusals()).toEqual([]));
afterAll(async () => {
  await service?.stop();
  const refused = await refusals();
  expect(refused).toEqual([]);
});

function openStore(options: Partial<SessionDataOptions> = {}): SessionData {
  const store = new SessionData({ redis: as('store'), deadlineMs: PATIENT_MS, ...options });
  onTestFinished(() => store.close());
  return store;
}

describe.each(['channels', 'streams'] as const)('sessionwise acl in a Cluster, over %s', (transport) => {
  it.each(transport === 'channels' ? (['inbox', 'list'] as const) : (['inbox'] as const))(
    'every command is asked and answered, %s replies',
    async (replies) => {
      const client = new SessionClient({ redis: as('app'), transport, replies, deadlineMs: PATIENT_MS });
      onTestFinished(() => client.close());
      expect(await client.ready()).toBe(true);
      const session = client.session(`visitor-${transport}-${replies}`);
      expect(await session.request('pageview', '/a')).toMatchObject({ totalPages: 1 });
      expect(await session.markSeen(Array.from({ length: 100 }, (_, i) => `item-${i}`))).toHaveLength(100);
      expect(await session.unseen(['/a', 'item-1', 'new'])).toEqual(['new']);
      expect(await session.notices.markRead(['n1'])).toBe(1);
      expect(await session.notices.annotate(['n1'])).toEqual([{ id: 'n1', seen: true }]);
      await askNotices(client, `reader-${transport}-${replies}`);
      expect(await session.figures()).toMatchObject({ totalPages: 1 });
    },
  );
});

it('sessionwise acl in a Cluster: a store keeps sessions, caps, sweeps and ends them, and their events arrive', async () => {
  const store = openStore({ maxSessionsPerUser: 2, onSessionLimit: 'end-oldest' });
  const tokens = Array.from({ length: 4 }, () => createToken());
  for (const token of tokens) {
    await store.save(token, { a: 1 });
    await store.identify(token, 'anna');
  }
  expect(await store.sessionsOf('anna')).toHaveLength(2);
  expect(await store.rotate(tokens[3]!, { grace: true })).toBeDefined();
  expect(await store.endSessionsOf('anna')).toBe(2);
  const brief = openStore({ idleMs: 1 });
  const token = createToken();
  await brief.save(token, {});
  const record = KEYS.record(sessionOf(token));
  const holder = await cluster.masterOf(record);
  await waitUntil('it is swept', async () => (await holder.command('EXISTS', record)) === 0, 20_000);
  const lifecycle = await cluster.masterOf(KEYS.lifecycle());
  const told = async () => {
    const entries = await lifecycle.command<[string, string[]][]>('XRANGE', KEYS.lifecycle(), '-', '+');
    return entries.map(([, fields]) => fields[1]).sort();
  };
  const events = ['created', 'ended', 'expired', 'identified', 'rotated'];
  await waitUntil('all is told', async () => (await told()).length === 5 + 4 + 4 + 1 + 1, 20_000);
  expect([...new Set(await told())]).toEqual(events);
});

it('sessionwise acl in a Cluster: a user is exported and erased, by the store and by the service', async () => {
  const store = openStore();
  for (const user of ['ada', 'bob']) {
    const token = createToken();
    await store.save(token, { a: 1 });
    await store.identify(token, user);
  }
  expect((await store.export({ user: 'ada' })).sessions).toMatchObject([{ userId: 'ada', data: { a: 1 } }]);
  expect(await store.forget({ user: 'ada' })).toMatchObject({ sessions: 1, lifecycleEvents: 3 });
  const namespace = await openNamespace({ redis: as('service'), secret: TEST_SECRET });
  onTestFinished(() => namespace.redis.close());
  expect((await exportSubject(namespace, { user: 'bob' })).sessions).toMatchObject([{ userId: 'bob' }]);
  expect(await forgetSubject(namespace, { user: 'bob' })).toMatchObject({ sessions: 1, lifecycleEvents: 3 });
});

it('sessionwise acl in a Cluster: a store archives, where it may', async () => {
  for (const node of cluster.nodes) {
    await setUsers((...args) => node.command(...args), {
      cluster: true,
      transport: 'both',
      store: true,
      archive: true,
    });
  }
  const store = openStore({ archive: async (session) => void archived.push(session) });
  const token = createToken();
  const key = KEYS.archiving(partitionOf(sessionOf(token)));
  const holder = await cluster.masterOf(key);
  await waitUntil('ended sessions are kept', async () => (await holder.command('EXISTS', key)) === 1);
  await store.save(token, { cart: 1 });
  await store.end(token);
  await waitUntil('it is archived', () => archived.length > 0, 20_000);
  expect(archived[0]).toMatchObject({ session: sessionOf(token), data: { cart: 1 } });
});
