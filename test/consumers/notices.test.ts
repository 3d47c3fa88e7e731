import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createSessionwise } from '../../src/adapters/express/index.ts';
import type { NoticeEvent } from '../../src/index.ts';
import { personOf, SessionClient } from '../../src/index.ts';
import { Keys } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { placesOf } from '../support/grep-redis.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { connectionsOf, hasGroup, pendingOf, take } from './consumer-stage.ts';

/* Loops over what happens with notices: through a real service, over Redis, opened with the secret. */

const SECRET = 'a secret of the tests, long enough';
const server = useRedis({ eachTest: 'kept' });
const { redis } = server;
let service: Service;
let client: SessionClient;
let groups = 0;

beforeAll(async () => {
  const segments = { 'tv-lovers': { seen: '/tv' } };
  service = await startService({ redis: server.url, secret: SECRET, segments, sessions: { sweep: false } });
  client = new SessionClient({ redis: server.url, secret: SECRET, deadlineMs: 5_000 });
  await client.ready();
});
afterAll(async () => {
  await client?.close();
  await service?.stop();
});

/** A new group that is told what happens from now on. */
async function follow(options: { takeOverMs?: number } = {}): Promise<AsyncIterableIterator<NoticeEvent>> {
  groups += 1;
  const group = `worker ${groups}`;
  await redis.command('XGROUP', 'CREATE', new Keys('sw').live(), group, '$', 'MKSTREAM');
  const loop = client.notices.events({ group, ...options });
  onTestFinished(() => void loop.return!());
  return loop;
}

const COMMON = { id: expect.any(String), at: expect.any(Number), tries: 1 };

describe('a loop over what happens with notices', () => {
  it('is told what was published, with its audience, and what became of it', async () => {
    const loop = await follow();
    const ada = personOf('ada');
    const publishAt = Date.now() + 3_600_000;
    await client.notices.publish({ to: { group: 'staff-of-berlin' }, id: 'n1', text: 'One', data: { link: '/1' } });
    await client.notices.publish({ to: { segment: 'tv-lovers' }, id: 'n2', text: 'Two', title: 'T', publishAt });
    await client.notices.publish({ to: { person: 'ada' }, id: 'n3', text: 'Three', expiresAt: publishAt });
    await client.notices.publish({ to: { group: 'staff-of-paris' }, id: 'n1', text: 'One' });
    // Nothing new, so nothing is told.
    await client.notices.publish({ to: { group: 'staff-of-paris' }, id: 'n1', text: 'One' });
    await client.notices.edit('n1', { text: 'Uno' });
    await client.notices.edit('n3', { text: 'Tre' }, { to: { person: 'ada' } });
    await client.notices.withdraw('n2');
    await client.notices.withdraw('n3', { to: { person: 'ada' } });
    const at = expect.any(Number);
    expect(await take(loop, 8)).toEqual([
      {
        ...{ event: 'published', to: { group: 'staff-of-berlin' }, isElsewhere: false, ...COMMON },
        notice: { id: 'n1', text: 'One', data: { link: '/1' }, at },
      },
      {
        ...{ event: 'published', to: { segment: 'tv-lovers' }, isElsewhere: false, ...COMMON },
        notice: { id: 'n2', text: 'Two', title: 'T', at: publishAt },
      },
      {
        ...{ event: 'published', to: { subject: ada }, isElsewhere: false, ...COMMON },
        notice: { id: 'n3', text: 'Three', at, expiresAt: publishAt },
      },
      {
        ...{ event: 'published', to: { group: 'staff-of-paris' }, isElsewhere: true, ...COMMON },
        notice: { id: 'n1', text: 'One', at },
      },
      { event: 'edited', noticeId: 'n1', subject: undefined, ...COMMON },
      { event: 'edited', noticeId: 'n3', subject: ada, ...COMMON },
      { event: 'withdrawn', noticeId: 'n2', subject: undefined, ...COMMON },
      { event: 'withdrawn', noticeId: 'n3', subject: ada, ...COMMON },
    ]);
  });

  it('is told who marked what, all of it, and nothing that concerns pages alone', async () => {
    const to = { group: 'readers' };
    for (let i = 0; i < 230; i += 1) await client.notices.publish({ to, id: `r${i}`, text: 'T' });
    const loop = await follow();
    const page = client.session('visitor-1', { deadlineMs: 20_000 });
    const ben = client.session(personOf('ben'), { deadlineMs: 20_000 });
    await page.notices.markSeen(['r1']);
    await page.notices.mute(['other']);
    await ben.notices.markRead(['r1', 'r2']);
    await ben.notices.markUnread(['r2']);
    await page.notices.dismiss(['r3']);
    await page.notices.markAllRead({ groups: ['readers'] });
    const events = await take(loop, 7);
    const subject = personOf('ben');
    expect(events.slice(0, 4)).toEqual([
      { event: 'seen', subject: 'visitor-1', noticeIds: ['r1'], ...COMMON },
      { event: 'read', subject, noticeIds: ['r1', 'r2'], ...COMMON },
      { event: 'unread', subject, noticeIds: ['r2'], ...COMMON },
      { event: 'dismissed', subject: 'visitor-1', noticeIds: ['r3'], ...COMMON },
    ]);
    const rest = events.slice(4).flatMap((event) => (event.event === 'read' ? event.noticeIds : []));
    expect(new Set(rest).size).toBe(229);
    expect(rest).not.toContain('r3');
  }, 60_000);

  it('leaves no name of a group and no subject in clear in Redis, and no id that was marked', async () => {
    const loop = await follow();
    await client.notices.publish({ to: { group: 'secret-circle' }, id: 'hidden-id', text: 'T' });
    await client.notices.publish({ to: { person: 'carla' }, id: 'own-id', text: 'T' });
    await client.session(personOf('carla')).notices.markRead(['hidden-id']);
    expect((await take(loop, 3)).map(({ event }) => event)).toEqual(['published', 'published', 'read']);
    // It looks where they would be found.
    expect(await placesOf(server.url, ['hidden-id'])).toContain('the snapshot');
    expect(await placesOf(server.url, ['secret-circle', 'staff-of-berlin', personOf('carla')])).toEqual([]);
    const entries = await redis.command<[string, string[]][]>(
      'XREVRANGE',
      new Keys('sw').live(),
      '+',
      '-',
      'COUNT',
      '1',
    );
    expect(entries[0]![1].filter((_, i) => i % 2 === 0)).toEqual(['event', 'to', 'sealed']);
  });

  it('ends where the secret is another one, and its event is not lost', async () => {
    const other = new SessionClient({ redis: server.url, secret: 'quite another secret of the tests' });
    onTestFinished(() => other.close());
    const loop = other.notices.events({ group: 'wrong' });
    const first = loop.next();
    const live = new Keys('sw').live();
    await waitUntil('it is begun', () => hasGroup(redis, 'wrong', live));
    await client.notices.publish({ to: { group: 'g' }, id: 'sealed', text: 'T' });
    await expect(first).rejects.toMatchObject({ code: 'CONSUMER_REFUSED', message: /another secret.*give `secret`/ });
    expect(await pendingOf(redis, 'wrong', live)).toBe(1);
    const right = client.notices.events({ group: 'wrong' });
    expect(await take(right, 1)).toMatchObject([{ event: 'published', notice: { id: 'sealed' }, tries: 2 }]);
    await right.return!();
  });

  it('needs the secret, and the address of Redis', () => {
    const without = new SessionClient({ redis: server.url });
    onTestFinished(() => without.close());
    expect(() => without.notices.events({ group: 'g' })).toThrow(/needs the address of Redis, and the secret/);
    const inline = new SessionClient({ transport: service.inline, secret: SECRET });
    onTestFinished(() => inline.close());
    expect(() => inline.notices.events({ group: 'g' })).toThrow(RangeError);
    expect(() => client.notices.events({} as never)).toThrow(/notices\.events\(\): group undefined/);
  });

  it('ends with its client, and shares the connection of the client until then', async () => {
    const own = new SessionClient({ redis: server.url, secret: SECRET });
    const loop = own.notices.events({ group: 'closing' });
    const first = loop.next();
    await waitUntil('it is begun', () => hasGroup(redis, 'closing', new Keys('sw').live()));
    await own.close();
    expect(await first).toEqual({ done: true, value: undefined });
    await waitUntil('no connection is left', async () => (await connectionsOf(redis, 'sessionwise-consumer')) === 0);
  });

  it('works with the one object of a site, whose service is in the process', async () => {
    const sw = createSessionwise({ redis: server.url, secret: SECRET, service: 'inline', namespace: 'site' });
    onTestFinished(() => sw.close());
    const loop = sw.client.notices.events({ group: 'mail', from: 'start' });
    const first = loop.next();
    const publish = () => sw.client.notices.publish({ to: { group: 'g' }, id: 'n1', text: 'T' });
    // The service is being started.
    await expect(publish()).rejects.toMatchObject({ code: 'NOT_ACKNOWLEDGED' });
    await waitUntil('it is published', () =>
      publish().then(
        () => true,
        () => false,
      ),
    );
    expect((await first).value).toMatchObject({ event: 'published', to: { group: 'g' }, notice: { id: 'n1' } });
  });
});
