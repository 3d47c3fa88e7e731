import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NoticeOfList, NoticesData } from '../../src/dashboard/notices/notices-data.ts';
import { personOf, SessionClient } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { type StagedDashboard, useDashboard } from '../support/use-dashboard.ts';
import { useRedis } from '../support/use-redis.ts';

const SECRET = 'a secret of the tests, long enough';
const USER = 'ann@example.org';
const HOUR_MS = 3_600_000;

describe('the view of notices', () => {
  const redis = useRedis();
  const open = useDashboard();
  let service: Service;
  let client: SessionClient;
  let dashboard: StagedDashboard;
  beforeEach(async () => {
    service = await startService({ redis: redis.url, secret: SECRET, transport: 'inline' });
    client = new SessionClient({ transport: service.inline, deadlineMs: 20_000 });
    dashboard = await open({ redis: redis.url, secret: SECRET });
  });
  afterEach(async () => {
    await client.close();
    await service.stop();
  });

  const publish = (fields: object, to: object = { group: 'news' }) =>
    dashboard.act('notices', 'publish', { to, text: 'A text', ...fields });
  const noticesOf = async (query: string): Promise<readonly NoticeOfList[]> =>
    (await dashboard.data<NoticesData>('notices', query)).lists.flatMap(({ notices }) => notices);
  const shownTo = async (visitor: string, ...groups: string[]) =>
    (await client.request('notices', visitor, { groups }))!.notices.map(({ id }) => id);

  it('writes a notice to a group, a segment, a person and a session, and each is shown to whom it is for', async () => {
    expect(await publish({ id: 'g', title: 'Title', severity: 'warning', data: { link: '/sale' } })).toMatchObject({
      status: 200,
      done: { id: 'g' },
    });
    expect((await publish({ id: 's' }, { segment: 'buyer' })).status).toBe(200);
    expect((await publish({ id: 'p' }, { person: USER })).status).toBe(200);
    expect((await publish({ id: 'v' }, { subject: 'visitor' })).status).toBe(200);
    expect(await shownTo('visitor', 'news')).toEqual(['v', 'g']);
    expect(await shownTo(personOf(USER))).toEqual(['p']);
    const [found] = await noticesOf('group=news');
    expect(found).toMatchObject({
      id: 'g',
      title: 'Title',
      severity: 'warning',
      data: { link: '/sale' },
      state: 'shown',
    });
    expect((await noticesOf(`subject=${personOf(USER)}`)).map(({ id }) => id)).toEqual(['p']);
    expect((await noticesOf('segment=buyer')).map(({ id }) => id)).toEqual(['s']);
    // Without a question: the lists to which was published last, and no one's own.
    const { lists, lastLists } = await dashboard.data<NoticesData>('notices');
    expect(lastLists).toEqual([{ segment: 'buyer' }, { group: 'news' }]);
    expect(lists.map(({ of, count }) => [of, count])).toEqual([
      [{ segment: 'buyer' }, 1],
      [{ group: 'news' }, 1],
    ]);
    expect(JSON.stringify(dashboard.log.entries)).not.toContain('ann');
  });

  it('gives an id where none was given, and refuses one that is there already', async () => {
    const { done } = await publish({});
    const { id } = done as { id: string };
    expect(id).toMatch(/^notice-[0-9a-f]{12}$/);
    const again = await publish({ id, text: 'Another' });
    expect([again.status, again.message]).toEqual([409, expect.stringMatching(/^"id" .* is there already/)]);
    expect((await noticesOf('group=news')).map(({ text }) => text)).toEqual(['A text']);
  });

  it('keeps one for later and takes one away in time', async () => {
    const now = Date.now();
    await publish({ id: 'later', publishAt: now + HOUR_MS, expiresAt: now + 2 * HOUR_MS });
    await publish({ id: 'now', expiresAt: now + HOUR_MS });
    expect((await noticesOf('group=news')).map(({ id, state }) => [id, state])).toEqual([
      ['now', 'shown'],
      ['later', 'scheduled'],
    ]);
    expect(await shownTo('visitor', 'news')).toEqual(['now']);
  });

  it('changes a notice; what was read stays read, and null deletes a field', async () => {
    await publish({ id: 'n', title: 'Old' });
    await client.request('mark-notices', 'visitor', { ids: ['n'], as: 'read' });
    const edit = (input: object) => dashboard.act('notices', 'edit', input);
    expect(await edit({ id: 'n', text: 'New', title: null })).toEqual({ status: 200, done: { id: 'n', lists: 1 } });
    expect(await noticesOf('group=news')).toMatchObject([{ id: 'n', text: 'New', title: null, seen: 1, read: 1 }]);
    expect((await client.request('notices', 'visitor', { groups: ['news'] }))!.notices).toMatchObject([
      { id: 'n', text: 'New', read: true },
    ]);
    await publish({ id: 'own' }, { subject: 'visitor' });
    expect((await edit({ id: 'own', to: { subject: 'visitor' }, text: 'Mine' })).status).toBe(200);
    expect(await noticesOf('subject=visitor')).toMatchObject([{ id: 'own', text: 'Mine' }]);
    expect((await edit({ id: 'nowhere', text: 'x' })).message).toMatch(/^"id" nowhere stands nowhere/);
    expect((await edit({ id: 'n', expiresAt: 1 })).message).toContain('"expiresAt"');
  });

  it('withdraws a notice wherever it stands', async () => {
    await publish({ id: 'n' });
    await publish({ id: 'n' }, { group: 'other' });
    expect(await dashboard.act('notices', 'withdraw', { id: 'n' })).toEqual({
      status: 200,
      done: { id: 'n', lists: 2 },
    });
    expect(await shownTo('visitor', 'news', 'other')).toEqual([]);
    await publish({ id: 'own' }, { subject: 'visitor' });
    await dashboard.act('notices', 'withdraw', { id: 'own', to: { subject: 'visitor' } });
    expect(await shownTo('visitor')).toEqual([]);
  });

  it('tells how many saw and read each, and in which hours', async () => {
    await publish({ id: 'n' });
    for (const visitor of ['a', 'b', 'c']) await client.request('mark-notices', visitor, { ids: ['n'], as: 'seen' });
    await client.request('mark-notices', 'a', { ids: ['n'], as: 'read' });
    const { lists, reach } = await dashboard.data<NoticesData>('notices', 'group=news&notice=n');
    expect(lists[0]!.notices).toMatchObject([{ id: 'n', seen: 3, read: 1 }]);
    expect(reach!.id).toBe('n');
    expect(reach!.hours.reduce((sum, { seen }) => sum + seen, 0)).toBe(3);
    expect(reach!.hours.reduce((sum, { read }) => sum + read, 0)).toBe(1);
  });

  it.each([
    ['text', { text: '' }],
    ['text', { text: undefined }],
    ['text', { text: 'x'.repeat(4_097) }],
    ['title', { title: 'x'.repeat(257) }],
    ['severity', { severity: 'loud' }],
    ['data', { data: 'no object' }],
    ['publishAt', { publishAt: 'tomorrow' }],
    ['expiresAt', { expiresAt: 1_000, publishAt: 2_000 }],
    ['expiresAt', { expiresAt: 1_000 }],
    ['to', { to: { group: 'news', segment: 'buyer' } }],
    ['to', { to: {} }],
    ['to', { to: { person: '' } }],
    ['to', { to: { subject: '<script>' } }],
  ])('says that %s is wrong, by its name, and writes nothing (%#)', async (field, fields) => {
    const { status, message } = await publish({ id: 'wrong', ...fields });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(message).toContain(`"${field}"`);
    expect(await redis.redis.command('KEYS', '*@list*')).toEqual([]);
  });

  it('refuses names that no list can have', async () => {
    expect((await publish({}, { group: '<script>' })).message).toMatch(/^The group "<script>" cannot be used/);
    const { error } = await dashboard.data<{ error: { message: string } }>('notices', 'group=%3Cscript%3E');
    expect(error.message).toMatch(/cannot be used/);
  });

  it('lets a viewer write nothing, nor anybody where it is read-only; an editor may', async () => {
    await publish({ id: 'n' });
    for (const [options, reason] of [
      [{ role: 'viewer' }, /needs the role editor/],
      [{ readOnly: true }, /read-only/],
    ] as const) {
      const other = await open({ redis: redis.url, secret: SECRET, ...options });
      for (const [action, input] of [
        ['publish', { to: { group: 'news' }, text: 'x' }],
        ['edit', { id: 'n', text: 'x' }],
        ['withdraw', { id: 'n' }],
      ] as const) {
        const { status, message } = await other.act('notices', action, input);
        expect([status, message]).toEqual([403, expect.stringMatching(reason)]);
      }
    }
    expect(await noticesOf('group=news')).toMatchObject([{ id: 'n', text: 'A text' }]);
    const editor = await open({ redis: redis.url, secret: SECRET, role: 'editor' });
    expect((await editor.act('notices', 'withdraw', { id: 'n' })).status).toBe(200);
    expect(editor.log.with('done')).toMatchObject([{ who: 'this machine', action: 'withdraw', notice: 'n' }]);
  });
});
