import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { personOf, SessionClient, type SessionClientOptions } from '../../src/index.ts';
import { Keys, partitionOf } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* Persons over the wire: the same over channels, lists, streams and inline. */

const SECRET = 'a secret of the tests, long enough';
const server = useRedis({ eachTest: 'kept' });
const { redis } = server;
let service: Service;
let inline: Service;
let last = 0;

beforeAll(async () => {
  service = await startService({ redis: server.url, secret: SECRET, transport: 'both' });
  inline = await startService({ redis: server.url, secret: SECRET, transport: 'inline' });
});
afterAll(async () => {
  await inline?.stop();
  await service?.stop();
});

const WAYS: [string, () => Partial<SessionClientOptions>][] = [
  ['channels', () => ({ redis: server.url })],
  ['lists', () => ({ redis: server.url, replies: 'list' })],
  ['streams', () => ({ redis: server.url, transport: 'streams' })],
  ['inline', () => ({ transport: inline.inline })],
];

describe.each(WAYS)('persons over %s', (way, optionsOf) => {
  async function open(): Promise<SessionClient> {
    const client = new SessionClient({ deadlineMs: 5_000, ...optionsOf() });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    return client;
  }

  function newNames(): { session: string; person: string } {
    last += 1;
    return { session: `browser-${last}`, person: personOf(`user-${last}`) };
  }

  const totalOf = async (client: SessionClient, id: string): Promise<number | undefined> =>
    (await client.request('session-analytics', id, ''))?.totalPages;

  it('what was seen before is the person’s, on every device, once', async () => {
    const client = await open();
    const { session, person } = newNames();
    await client.request('pageview', session, '/a');
    await client.request('mark-item-seen', session, 'lamp');
    for (let i = 0; i < 2; i += 1) {
      expect(await client.request('identify', person, session)).toEqual({ from: session, merged: true });
    }
    expect(await client.request('surface', person, ['/a', '/b', 'lamp'])).toEqual(['/b']);
    expect(await totalOf(client, person)).toBe(1);
    await client.request('pageview', person, '/b');
    expect(await client.request('surface', session, ['/a', '/b'])).toEqual(['/b']);
  });

  it('a late view of the session is the person’s when it is answered', async () => {
    const client = await open();
    const { session, person } = newNames();
    await client.request('identify', person, session);
    await client.request('pageview', session, '/late');
    expect(await totalOf(client, person)).toBe(1);
  });

  it('identify comes first in the message of a page, wherever it stands', async () => {
    const client = await open();
    const { session, person } = newNames();
    await client.request('pageview', session, '/a');
    const page = client.session(person);
    const [fresh, answer] = await Promise.all([
      page.request('surface', ['/a', '/b']),
      page.request('identify', session),
    ]);
    expect({ way, fresh, answer }).toEqual({ way, fresh: ['/b'], answer: { from: session, merged: true } });
  });

  it('is refused where it is not asked as a person, and where the source is one', async () => {
    const client = await open();
    const { session, person } = newNames();
    const degraded: string[] = [];
    client.on('degraded', ({ reason }) => degraded.push(reason));
    expect(await client.request('identify', session, 'other')).toBeUndefined();
    expect(await client.request('identify', person, personOf('somebody else'))).toBeUndefined();
    expect(degraded).toEqual(['bad-payload', 'bad-payload']);
  });
});

describe('a merge that was left half done', () => {
  it.each([
    ['each service', 'sw', {}],
    ['a service that leaves it to stores to end sessions', 'stores-sweep', { sweep: false }],
  ])('is finished by the sweep of %s', async (_, namespace, sessions) => {
    const own = await startService({ redis: server.url, secret: SECRET, namespace, sessions, transport: 'inline' });
    onTestFinished(() => own.stop());
    const client = new SessionClient({ transport: own.inline, deadlineMs: 5_000 });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    const [session, person, ownKeys] = ['half-done', personOf('half-done'), new Keys(namespace)];
    await client.request('pageview', session, '/a');
    await client.request('identify', person, session);
    // As a process leaves it that ends between a late view and its push: the number is higher than what was merged.
    await redis.command('HINCRBY', ownKeys.claim(session), 'dirty', '1');
    await redis.command('ZADD', ownKeys.merging(partitionOf(session)), '0', session);
    const claim = (field: string): Promise<string | null> => redis.command('HGET', ownKeys.claim(session), field);
    const dirty = await claim('dirty');
    await waitUntil('all is merged', async () => (await claim('clean')) === dirty);
    expect(await claim('dirty')).toBe(dirty);
    expect((await client.request('session-analytics', person, ''))?.totalPages).toBe(1);
  });
});
