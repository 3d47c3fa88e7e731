import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Namespace, openNamespace, type Service, startService } from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { useRedis } from '../support/use-redis.ts';

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
  service = await startService({ redis: server.url, secret: SECRET });
  namespace = await openNamespace({ redis: server.url, secret: SECRET });
  foreign = await ForeignClient.connect(server.url);
});
afterAll(async () => {
  await foreign?.close();
  await namespace?.redis.close();
  await service?.stop();
});

type Notices = Record<string, unknown>[];

const publish = (group: string, id: string) => namespace.knowledge.noticeLists.publish(group, { id, text: id });
const ask = (session: string, query: unknown) => foreign.ask('notifications', session, query) as Promise<Notices>;
const seenById = (notices: Notices) => Object.fromEntries(notices.map(({ id, seen }) => [id, seen]));

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
    const part = ['notifications', { groups, limit: 1_000 }];
    let answers: Notices[] = [];
    const reads = await callsOf('lrange', async () => {
      answers = (await foreign.ask(
        'together',
        'asker',
        Array.from({ length: 10 }, () => part),
      )) as Notices[];
    });
    expect(reads).toBe(GROUPS);
    expect(answers).toHaveLength(10);
    for (const answer of answers) {
      expect(answer).toHaveLength(1_000);
      // The newest, which were published last.
      expect(new Set(answer.map(({ group }) => group)).size).toBe(1_000 / EACH);
    }
  }, 60_000);

  it('comes newest first also where the clock of Redis was set back', async () => {
    await publish('back', 'early');
    await publish('back', 'late');
    const key = namespace.keys.groupList(namespace.knowledge.items.of('group', 'back'));
    const [late, early] = (await redis.command<string[]>('LRANGE', key, '0', '-1')) as [string, string];
    const at = (entry: string): number => Number(entry.split(' ')[1]);
    const changed = early.replace(` ${at(early)} `, ` ${at(late) + 5_000} `);
    await redis.command('LSET', key, '1', changed);
    expect((await ask('asker', { groups: ['back'] })).map(({ id }) => id)).toEqual(['early', 'late']);
  });
});

describe('a notice that was read in one group', () => {
  it('is read in another to which it is published later, whatever is asked', async () => {
    const session = 'reader';
    await publish('first', 'both');
    await foreign.ask('mark-notification-seen', session, ['both']);
    for (const id of ['x', 'y']) await publish('first', id);
    await publish('second', 'both');
    expect(seenById(await ask(session, { groups: ['second'] }))).toEqual({ both: true });
    expect(seenById(await ask(session, { groups: ['first', 'second'], limit: 1 }))).toEqual({ both: true });
    expect(seenById(await ask(session, { groups: ['first', 'second'] }))).toEqual({ both: true, x: false, y: false });
    expect(seenById(await ask('another', { groups: ['second'] }))).toEqual({ both: false });
    expect(await foreign.ask('notifications', session, ['both', 'x'])).toEqual([
      { id: 'both', seen: true },
      { id: 'x', seen: false },
    ]);
    // What else stands in the reply is as for any other notice.
    expect(Object.keys((await ask(session, { groups: ['second'] }))[0]!).sort()).toEqual(
      Object.keys((await ask(session, { groups: ['first'], limit: 1 }))[0]!).sort(),
    );
  });

  it('costs no question where each notice stands in one group', async () => {
    const count = 50;
    for (let i = 0; i < count; i += 1) await publish('single', `alone-${i}`);
    const reads = await callsOf('hgetall', async () => {
      expect(await ask('reader', { groups: ['single'], limit: count })).toHaveLength(count);
    });
    // The service's own checks of the namespace, which come twice a second.
    expect(reads).toBeLessThan(count / 2);
  });
});
