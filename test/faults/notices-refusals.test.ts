import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { startService } from '../../src/service/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { pace, waitUntil } from '../support/wait-until.ts';
import { SECRET } from './streams-stage.ts';

/* A Redis that lives and refuses while notices are published and marked. What was answered is so; what was not answered may
 * be so; and nothing that nobody marked is ever hidden. */

const TRIES = 6;
const HEALS_MS = 20_000;
const groups = ['news', 'team'];

const server = useRedis({ eachTest: 'new' });
const { redis } = server;
const config = (name: string, value: string) => () => redis.command('CONFIG', 'SET', name, value);
const without = (...names: string[]): Fault => {
  const change = (sign: '-' | '+') => () =>
    redis.command('ACL', 'SETUSER', 'default', ...names.map((name) => sign + name));
  return [change('-'), change('+')];
};

/** Begins, and ends. */
type Fault = readonly [begin: () => Promise<unknown>, end: () => Promise<unknown>];

const FAULTS: readonly (readonly [string, Fault])[] = [
  ['is full (OOM)', [config('maxmemory', '1'), config('maxmemory', '0')]],
  ['is read-only', [() => redis.command('REPLICAOF', '127.0.0.1', '1'), () => redis.command('REPLICAOF', 'NO', 'ONE')]],
  ['lacks replicas', [config('min-replicas-to-write', '1'), config('min-replicas-to-write', '0')]],
  ...[
    'hset',
    'hincrby',
    'hsetnx',
    'zadd',
    'zrem',
    'hdel',
    'setrange',
    'set',
    'pexpire',
    'xadd',
    'pfadd',
    'evalsha eval',
  ].map((names): readonly [string, Fault] => [`refuses ${names} (NOPERM)`, without(...names.split(' '))]),
];

let client: SessionClient;
beforeEach(async () => {
  const service = await startService({ redis: server.url, secret: SECRET });
  client = new SessionClient({ redis: server.url, deadlineMs: HEALS_MS });
  onTestFinished(async () => {
    await client.close();
    await service.stop(100);
  });
  expect(await client.ready(HEALS_MS)).toBe(true);
});

const shownTo = async (session: string): Promise<ReadonlyMap<string, boolean>> => {
  const { notices } = (await client.session(session).notices.list({ groups, limit: 1_000 }))!;
  return new Map(notices.map(({ id, read }) => [String(id), read]));
};
const publish = (group: string, id: string): Promise<{ isNew: boolean }> =>
  client.notices.publish({ to: { group }, id, text: `Text of ${id}` });

describe('notices where Redis refuses', { timeout: 60_000 }, () => {
  it.each(FAULTS)('are marked where the answer says so, and else not hidden, where it %s', async (_, [begin, end]) => {
    for (const id of ['a', 'b', 'c', 'd']) await publish('news', id);
    await client.session('reader').notices.markRead(['a']);
    await begin();
    const [marked, published] = [new Set<string>(['a']), new Set<string>(['a', 'b', 'c', 'd'])];
    for (let i = 0; i < TRIES; i += 1) {
      const page = (session: string) => client.session(session, { deadlineMs: 300 }).notices;
      // Who has a record, and who has none.
      const [ofReader, ofNewcomer, isNew] = await Promise.all([
        page('reader').markRead(['b']),
        page(`newcomer-${i}`).markRead(['b']),
        publish('team', `new-${i}`).catch(() => undefined),
      ]);
      if (ofReader !== undefined) marked.add('b');
      if (isNew) published.add(`new-${i}`);
      if (ofNewcomer !== undefined) marked.add(`newcomer-${i}`);
      await pace();
    }
    await end();
    await waitUntil(
      'it takes marks again',
      async () => (await client.session('warm').notices.markSeen(['a'])) === 1,
      HEALS_MS,
    );
    const [ofReader, ofStranger] = [await shownTo('reader'), await shownTo('stranger')];
    for (const id of published) expect(ofStranger.get(id), `${id} is shown, and unread`).toBe(false);
    expect([...ofReader.keys()]).toEqual([...ofStranger.keys()]);
    for (const id of ['a', 'b']) if (marked.has(id)) expect(ofReader.get(id), id).toBe(true);
    for (const [id, isRead] of ofReader) if (!['a', 'b'].includes(id)) expect(isRead, id).toBe(false);
    for (let i = 0; i < TRIES; i += 1) {
      const ofNewcomer = await shownTo(`newcomer-${i}`);
      expect(ofNewcomer.get('c')).toBe(false);
      if (marked.has(`newcomer-${i}`)) expect(ofNewcomer.get('b')).toBe(true);
    }
    // What was not published is when it is tried again, once, and can be marked and withdrawn.
    for (let i = 0; i < TRIES; i += 1) await publish('team', `new-${i}`);
    expect([...(await shownTo('stranger')).keys()].filter((id) => id.startsWith('new-')).sort()).toEqual(
      Array.from({ length: TRIES }, (_, i) => `new-${i}`),
    );
    await client.session('stranger').notices.markRead(['new-0']);
    expect((await shownTo('stranger')).get('new-0')).toBe(true);
    expect(await client.notices.withdraw('new-0')).toBe(1);
    expect((await shownTo('stranger')).has('new-0')).toBe(false);
  });
});
