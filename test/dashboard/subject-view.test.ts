import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { SubjectData } from '../../src/dashboard/subject/subject-data.ts';
import { createToken, personOf, SessionClient, sessionOf } from '../../src/index.ts';
import { openNamespace, type Rules, type Service, startService } from '../../src/service/index.ts';
import { SessionData } from '../../src/sessions/index.ts';
import { useDashboard } from '../support/use-dashboard.ts';
import { useRedis } from '../support/use-redis.ts';

const SECRET = 'a secret of the tests, long enough';
const USER = 'ann@example.org';
const PERSON = personOf(USER);
const RULES: Rules = {
  clusters: { tv: ['/tv/*'] },
  segments: { buyer: { event: 'bought' }, unasked: { views: 2 } },
  suggestions: [
    {
      name: 'mount',
      when: { all: [{ cluster: 'tv', atLeast: 3 }, { not: { segment: 'buyer' } }] },
      suggest: 'A mount',
    },
    { name: 'vip', when: { group: 'vip' }, suggest: 'A chair', reason: 'For you.' },
  ],
};

type Found = NonNullable<SubjectData['found']>;

describe('the view of a subject', () => {
  const redis = useRedis();
  const open = useDashboard();
  const folder = mkdtempSync(join(tmpdir(), 'sw-subject-'));
  const config = join(folder, 'config.json');
  let service: Service;
  let client: SessionClient;
  let sessions: SessionData;
  beforeAll(() => writeFileSync(config, JSON.stringify(RULES)));
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(async () => {
    service = await startService({ redis: redis.url, secret: SECRET, ...RULES, transport: 'inline' });
    client = new SessionClient({ transport: service.inline, deadlineMs: 20_000 });
    sessions = new SessionData({ redis: redis.url });
  });
  afterEach(async () => {
    await client.close();
    await sessions.close();
    await service.stop();
  });

  const namespaceOf = async () => {
    const namespace = await openNamespace({ redis: redis.url, secret: SECRET }, false);
    onTestFinished(() => namespace.redis.close());
    return namespace;
  };
  const openDashboard = (more = {}) => open({ redis: redis.url, secret: SECRET, config, ...more });
  const see = async (subject: string, query = '', more = {}): Promise<Found> =>
    (await (await openDashboard(more)).data<SubjectData>('subject', `id=${subject}${query}`)).found!;
  /** Logs a user in on a device, with a session of its own. */
  const logIn = async (device: string, user = USER): Promise<{ token: string; session: string }> => {
    const token = createToken();
    await sessions.save(token, { cookie: {} });
    await sessions.identify(token, user, { device });
    return { token, session: sessionOf(token) };
  };

  it('tells views, minutes by day, counters by the names of the rules, and segments', async () => {
    for (const page of ['/tv/1', '/tv/2', '/tv/2']) await client.request('pageview', 'visitor', page);
    await client.request('track', 'visitor', { event: 'bought' });
    await client.request('track', 'visitor', { event: 'named-nowhere' });
    await client.request('mark-suggestions', 'visitor', { rules: ['vip'], as: 'shown' });
    const found = await see('visitor');
    expect(found).toMatchObject({ kind: 'session', isKnown: true, sessionState: 'none', rulesProblem: null });
    expect([found.views, found.uniquePages, found.uniquePagesExact, found.items]).toEqual([3, 2, true, 0]);
    expect(found.days.map(({ minutes }) => minutes).reduce((sum, n) => sum + n, 0)).toBe(found.activeMinutes);
    expect(found.days[0]!.hours.reduce((sum, n) => sum + n, 0)).toBe(found.days[0]!.minutes);
    const counters = found.counters.map(({ kind, name, count }) => [kind, name, count]);
    expect(counters.sort()).toEqual([
      ['cluster', 'tv', 3],
      ['event', null, 1],
      ['event', 'bought', 1],
      ['suggestion', 'vip: shown', 1],
    ]);
    expect(JSON.stringify(found)).not.toContain('named-nowhere');
    // Also a segment that no rule asks.
    expect(found.segments!.map(({ segment, explanation }) => [segment, explanation.holds])).toEqual([
      ['buyer', true],
      ['unasked', true],
    ]);
  });

  it('says what would be suggested and why, also of rules that do not fire, and counts nothing by that', async () => {
    await client.request('pageview', 'visitor', '/tv/1');
    const [mount, vip] = (await see('visitor', '&group=vip')).suggestions!;
    expect(mount).toMatchObject({ rule: 'mount', suggested: false, outcome: 'not suggested' });
    expect(JSON.stringify(mount!.explanation)).toContain('viewed 1 of 3 pages of');
    expect(vip).toMatchObject({ rule: 'vip', suggested: true, suggest: 'A chair', reason: 'For you.' });
    expect((await see('visitor')).suggestions!.map(({ suggested }) => suggested)).toEqual([false, false]);
    await service.stop();
    expect(await redis.redis.command('EXISTS', 'sw:@rules')).toBe(0);
  });

  it('shows nothing of a subject that is unknown, and says what is wrong with an id', async () => {
    const dashboard = await openDashboard();
    expect(await dashboard.data('subject')).toMatchObject({ subject: null });
    expect(await see('nobody')).toMatchObject({ isKnown: false, views: 0, firstView: null, days: [], counters: [] });
    for (const id of ['%3Cscript%3E', 'a%20b', 'x'.repeat(129)]) {
      const { error } = await dashboard.data<{ error: { message: string } }>('subject', `id=${id}`);
      expect(error.message).toMatch(/^"id" is no id/);
    }
  });

  it('finds a person by the user id, which stands in no answer and no log', async () => {
    await client.request('pageview', PERSON, '/tv/1');
    const dashboard = await openDashboard({ readOnly: true, role: 'viewer' });
    expect(await dashboard.act('subject', 'find', { user: USER })).toEqual({ status: 200, done: { subject: PERSON } });
    const data = await dashboard.data<SubjectData>('subject', `id=${PERSON}`);
    expect(data.found).toMatchObject({ kind: 'person', isKnown: true, sessionState: null, views: 1 });
    expect(JSON.stringify([data, dashboard.log.entries])).not.toContain('ann');
    expect(dashboard.log.with('done')).toMatchObject([{ action: 'find', subject: PERSON }]);
  });

  it('refuses a token in place of an id without showing it, and names its session', async () => {
    const dashboard = await openDashboard();
    const token = createToken();
    for (const id of [token, `s:${token}.signature`]) {
      const { status, message } = await dashboard.act('subject', 'find', { id });
      expect([status, message]).toEqual([400, expect.stringContaining(`Its session is ${sessionOf(token)}`)]);
    }
    expect(JSON.stringify(dashboard.log.entries)).not.toContain(token.split('.')[1]);
    expect((await dashboard.act('subject', 'find', { id: '', user: '' })).status).toBe(400);
    expect((await dashboard.act('subject', 'find', { id: 'a', user: 'b' })).status).toBe(400);
  });

  it('tells the notices and what was done with them, and joins no list by looking', async () => {
    const { knowledge } = await namespaceOf();
    await knowledge.notices.lists.setJoining({ kind: 'group', name: 'late' }, 'now');
    await client.notices.publish({ to: { group: 'late' }, id: 'before', text: 'Before' });
    await client.notices.publish({ to: { group: 'news' }, id: 'n-1', text: 'One', title: '<script>' });
    await client.notices.publish({ to: { group: 'news' }, id: 'n-2', text: 'Two', publishAt: Date.now() + 3_600_000 });
    await client.notices.publish({ to: { session: 'visitor' }, id: 'own', text: 'Own' });
    await client.notices.publish({ to: { segment: 'unasked' }, id: 'seg', text: 'Segment' });
    await client.request('mark-notices', 'visitor', { ids: ['n-1'], as: 'read' });
    await client.request('mark-notices', 'visitor', { ids: ['own'], as: 'dismissed' });
    await client.request('mute-groups', 'visitor', { mute: ['muted'] });
    await client.notices.publish({ to: { group: 'muted' }, id: 'quiet', text: 'Quiet' });
    const { notices, mutedLists } = await see('visitor', '&group=news&group=late&group=muted');
    const told = Object.fromEntries(notices.map(({ id, state, hidden, from }) => [id, [state, hidden, from]]));
    expect(told).toEqual({
      'n-1': ['read', null, 'group news'],
      'n-2': ['unseen', 'still to come', 'group news'],
      own: ['dismissed', 'dismissed', 'to this subject alone'],
      seg: ['unseen', null, 'segment unasked'],
      before: ['unseen', 'published before the subject met the list', 'group late'],
      quiet: ['unseen', 'muted', 'group muted'],
    });
    expect(mutedLists).toEqual(['muted']);
    // It has met the list only when it asks itself: so this one it sees.
    await client.notices.publish({ to: { group: 'late' }, id: 'between', text: 'Between' });
    const again = await see('visitor', '&group=late');
    expect(again.notices.filter(({ from }) => from === 'group late').map(({ hidden }) => hidden)).toEqual([
      'published before the subject met the list',
      'published before the subject met the list',
    ]);
  });

  it('lists the devices of a user and ends the session of one: its token opens nothing any more, the other lives', async () => {
    const [desk, phone] = [await logIn('Firefox on Linux'), await logIn('Safari on iOS')];
    const stranger = await logIn('Chrome', 'bob@example.org');
    const dashboard = await openDashboard();
    const bySession = await dashboard.data<SubjectData>('subject', `id=${desk.session}`);
    expect(bySession.found!.sessionState).toBe('living');
    const { list } = bySession.found!.devices;
    expect(list.map(({ label, isThis }) => [label, isThis]).sort()).toEqual([
      ['Firefox on Linux', true],
      ['Safari on iOS', false],
    ]);
    // By the person's id alone the user is not known; by the user id it is.
    expect((await dashboard.data<SubjectData>('subject', `id=${PERSON}`)).found!.devices.problem).toMatch(/user id/);
    await dashboard.act('subject', 'find', { user: USER });
    const byPerson = await dashboard.data<SubjectData>('subject', `id=${PERSON}`);
    expect(byPerson.found!.devices.list.map(({ session }) => session).sort()).toEqual(
      [desk.session, phone.session].sort(),
    );
    const end = (session: string) => dashboard.act('subject', 'end-session', { subject: PERSON, session });
    expect(await end(phone.session)).toEqual({ status: 200, done: { ended: true } });
    expect(await sessions.load(phone.token)).toBeUndefined();
    expect(await end(phone.session)).toEqual({ status: 200, done: { ended: false } });
    // Not of this user.
    expect(await end(stranger.session)).toEqual({ status: 200, done: { ended: false } });
    expect(await sessions.load(stranger.token)).toBeDefined();
    expect(await sessions.load(desk.token)).toBeDefined();
    expect(dashboard.log.with('done').at(-1)).toMatchObject({ who: 'this machine', session: stranger.session });
    // What a page gets opens no session.
    const everything = JSON.stringify([bySession, byPerson]);
    for (const { token } of [desk, phone]) expect(everything).not.toContain(token.split('.')[1]);
    expect(everything).not.toContain(USER);
  });

  it('looks for an item only when an operator asks, and logs who, of whom and the hash of which', async () => {
    await client.request('pageview', 'visitor', '/tv/1');
    await client.request('mark-item-seen', 'visitor', ['lamp']);
    const dashboard = await openDashboard();
    const probe = (item: unknown) => dashboard.act('subject', 'probe', { subject: 'visitor', item });
    expect(await probe('/tv/1?x=y')).toEqual({ status: 200, done: { viewed: true, marked: false } });
    expect(await probe('lamp')).toEqual({ status: 200, done: { viewed: false, marked: true } });
    expect(await probe('/tv/9')).toEqual({ status: 200, done: { viewed: false, marked: false } });
    expect(await probe('é'.repeat(1_000))).toMatchObject({ status: 200 });
    for (const item of ['', ' ', 7]) expect((await probe(item)).message).toMatch(/^"item"/);
    const logged = dashboard.log.with('Looked whether');
    expect(logged).toHaveLength(4);
    expect(logged[0]).toEqual({
      by: 'this machine',
      subject: 'visitor',
      page: (await namespaceOf()).knowledge.items.of('page', '/tv/1'),
      item: expect.any(Number),
    });
    expect(JSON.stringify(dashboard.log.entries)).not.toContain('lamp');
  });

  it.each(['viewer', 'editor'] as const)('lets the role %s neither end sessions nor look for items', async (role) => {
    const { token, session } = await logIn('Firefox');
    const dashboard = await openDashboard({ role });
    for (const [action, input] of [
      ['end-session', { subject: session, session }],
      ['probe', { subject: session, item: '/tv/1' }],
    ] as const) {
      const { status, message } = await dashboard.act('subject', action, input);
      expect([status, message]).toEqual([403, `This needs the role operator; yours is ${role}.`]);
    }
    expect(await sessions.load(token)).toBeDefined();
  });

  it('does neither where it is read-only, and shows all else', async () => {
    const { token, session } = await logIn('Firefox');
    const dashboard = await openDashboard({ readOnly: true });
    expect((await dashboard.act('subject', 'end-session', { subject: session, session })).status).toBe(403);
    expect((await dashboard.act('subject', 'probe', { subject: session, item: 'x' })).status).toBe(403);
    expect(await sessions.load(token)).toBeDefined();
    expect((await dashboard.data<SubjectData>('subject', `id=${session}`)).found!.devices.list).toHaveLength(1);
  });

  it('goes on where the rules cannot be read, and says why', async () => {
    const wrong = join(folder, 'wrong.json');
    writeFileSync(wrong, '{"suggestions":[{"name":"x"}]}');
    const found = await see('visitor', '', { config: wrong });
    expect([found.suggestions, found.rulesProblem]).toEqual([null, expect.stringContaining('wrong.json')]);
  });
});
