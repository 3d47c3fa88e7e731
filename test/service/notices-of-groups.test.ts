import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Namespace, openNamespace, type Service, startService } from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* Questions about many groups at once, and notices that stand in several groups. */

const SECRET = 'a secret of the tests, long enough';
const GROUPS = 100;
const EACH = 20;

const server = useRedis({ eachTest: 'kept' });
const { redis } = server;
let service: Service;
let namespace: Namespace;
let foreign: ForeignClient;

beforeAll(async () => {
  // A sweep looks at sorted sets too.
  service = await startService({ redis: server.url, secret: SECRET, sessions: { sweep: false } });
  namespace = await openNamespace({ redis: server.url, secret: SECRET });
  foreign = await ForeignClient.connect(server.url);
});
afterAll(async () => {
  await foreign?.close();
  await namespace?.redis.close();
  await service?.stop();
});

interface Answer {
  readonly notices: Record<string, unknown>[];
  readonly unread: number;
}

const publish = (group: string, id: string) =>
  namespace.knowledge.notices.lists.publish({ kind: 'group', name: group }, { id, text: id });
const ask = (session: string, query: unknown) => foreign.ask('notices', session, query) as Promise<Answer>;
const readById = async (session: string, query: unknown) =>
  Object.fromEntries((await ask(session, query)).notices.map(({ id, read }) => [id, read]));
const mark = (session: string, payload: unknown) => foreign.ask('mark-notices', session, payload);

async function callsOf(name: string, work: () => Promise<unknown>): Promise<number> {
  await redis.command('CONFIG', 'RESETSTAT');
  await work();
  const stats = await redis.command<string>('INFO', 'commandstats');
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

describe('a question about many groups', () => {
  it('reads each list once, however many parts of a message ask about it', async () => {
    const groups = Array.from({ length: GROUPS }, (_, i) => `many-${i}`);
    // One group behind another, so that the last ones have the newest.
    for (const group of groups) {
      await Promise.all(Array.from({ length: EACH }, (_, i) => publish(group, `${group}-${i}`)));
    }
    const part = ['notices', { groups, limit: 1_000 }];
    let answers: Answer[] = [];
    const together = () =>
      foreign.ask(
        'together',
        'asker',
        Array.from({ length: 10 }, () => part),
      ) as Promise<Answer[]>;
    // One reading each, and not one for each part; few others of the service itself.
    const reads = await callsOf('zrangebyscore', async () => {
      answers = await together();
    });
    expect(reads).toBeGreaterThanOrEqual(GROUPS);
    expect(reads).toBeLessThan(2 * GROUPS);
    expect(await callsOf('zrangebyscore', together)).toBeLessThan(GROUPS);
    expect(answers).toHaveLength(10);
    for (const { notices, unread } of answers) {
      expect(unread).toBe(GROUPS * EACH);
      expect(notices).toHaveLength(1_000);
      // The newest, which were published last.
      expect(new Set(notices.map(({ group }) => group)).size).toBe(1_000 / EACH);
    }
  }, 60_000);

  it('comes newest first also where the clock of Redis was set back', async () => {
    await publish('back', 'early');
    await publish('back', 'late');
    const list = namespace.knowledge.items.of('group', 'back');
    const key = namespace.keys.noticeList(list);
    const entries = await redis.command<Record<string, string>>('HGETALL', key);
    const [[early, entry], [, late]] = Object.entries(entries).sort(([a], [b]) => Number(a) - Number(b)) as [
      [string, string],
      [string, string],
    ];
    const at = (text: string): number => Number(text.split(' ')[0]);
    await redis.command('HSET', key, early, entry.replace(String(at(entry)), String(at(late) + 1)));
    expect((await ask('asker', { groups: ['back'] })).notices.map(({ id }) => id)).toEqual(['early', 'late']);
  });
});

describe('a notice that was read in one group', () => {
  it('is read in another to which it is published later, whatever is asked', async () => {
    const session = 'reader';
    await publish('first', 'both');
    await mark(session, { ids: ['both'], as: 'read' });
    await publish('first', 'x');
    const { at } = await publish('first', 'y');
    // The newest of all.
    await waitUntil('a millisecond is over', () => Date.now() > at);
    await publish('second', 'both');
    expect(await readById(session, { groups: ['second'] })).toEqual({ both: true });
    expect(await ask(session, { groups: ['second'] })).toMatchObject({ unseen: 0, unread: 0 });
    expect(await readById(session, { groups: ['first', 'second'], limit: 1 })).toEqual({ both: true });
    expect(await readById(session, { groups: ['first', 'second'] })).toEqual({ both: true, x: false, y: false });
    expect(await readById(session, { groups: ['second'], unreadOnly: true })).toEqual({});
    expect(await readById('another', { groups: ['second'] })).toEqual({ both: false });
    expect(await foreign.ask('notifications', session, ['both', 'x'])).toEqual([
      { id: 'both', seen: true },
      { id: 'x', seen: false },
    ]);
    // What else stands in the reply is as for any other notice.
    const fieldsOf = async (groups: string[]) =>
      Object.keys((await ask(session, { groups })).notices.find(({ id }) => id !== 'y')!).sort();
    expect(await fieldsOf(['second'])).toEqual(await fieldsOf(['first']));
    expect(await foreign.ask('list-notices', session, { of: { group: 'second' } })).toEqual([
      { id: 'both', text: 'both', at: expect.any(Number), group: 'second' },
    ]);
  });

  it('is read, seen or dismissed in the first too, where all of the second are marked', async () => {
    for (const group of ['here', 'there']) await publish(group, 'twice');
    expect(await mark('marker', { groups: ['there'], as: 'read' })).toEqual({ as: 'read', marked: 1 });
    expect(await readById('marker', { groups: ['here'] })).toEqual({ twice: true });
    expect(await mark('marker', { groups: ['here'], as: 'unread' })).toEqual({ as: 'unread', marked: 1 });
    for (const group of ['here', 'there']) {
      expect(await readById('marker', { groups: [group] })).toEqual({ twice: false });
    }
    await publish('elsewhere', 'twice');
    expect(await mark('marker', { groups: ['elsewhere'], as: 'dismissed' })).toEqual({ as: 'dismissed', marked: 1 });
    for (const group of ['here', 'there', 'elsewhere']) {
      expect(await readById('marker', { groups: [group] })).toEqual({});
    }
  });

  it('costs no question where each notice stands in one group', async () => {
    const count = 50;
    for (let i = 0; i < count; i += 1) await publish('single', `alone-${i}`);
    const reads = await callsOf('hgetall', async () => {
      expect((await ask('reader', { groups: ['single'], limit: count })).notices).toHaveLength(count);
    });
    // The service's own checks of the namespace, which come twice a second.
    expect(reads).toBeLessThan(count / 2);
  });

  it('costs no question where all of its groups are asked about', async () => {
    for (const group of ['pair-1', 'pair-2']) {
      for (let i = 0; i < 50; i += 1) await publish(group, `pair-${i}`);
    }
    const reads = await callsOf('hgetall', async () => {
      expect((await ask('fresh', { groups: ['pair-1', 'pair-2'] })).notices).toHaveLength(50);
    });
    expect(reads).toBeLessThan(25);
  });
});
