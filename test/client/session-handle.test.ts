import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Degraded, personOf, SessionClient, type SessionHandle } from '../../src/index.ts';
import { createToken, sessionOf } from '../../src/protocol/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { useRedis } from '../support/use-redis.ts';

/* The methods of a handle: what they give back, what they refuse, and that a page without a visitor needs no case of its own. */

const LONG_MS = 20_000;
const ARTICLES = ['/a', '/b', '/c', '/d'].map((url, i) => ({ url, title: `Article ${i}` }));
const urlOf = ({ url }: { url: string }): string => url;

const server = useRedis({ eachTest: 'kept' });
let service: Service;
let client: SessionClient;

beforeAll(async () => {
  service = await startService({ redis: server.url, secret: 'a secret of the tests, long enough' });
  client = new SessionClient({ redis: server.url, deadlineMs: LONG_MS });
  expect(await client.ready()).toBe(true);
});
afterAll(async () => {
  await client?.close();
  await service?.stop();
});

function newSession(): string {
  return sessionOf(createToken());
}

/** A handle of a visitor that has seen the page `/b` and the name `book`. */
async function openVisited(page?: string): Promise<SessionHandle> {
  const session = newSession();
  await client.request('pageview', session, '/b');
  await client.request('mark-item-seen', session, ['book']);
  return client.session(session, { page });
}

describe('unseen items', () => {
  it('are given back as they were given: texts, and objects themselves', async () => {
    const handle = await openVisited();
    expect(await handle.unseen(['/c?x', '/b?x', 'book', '/a', 'lamp', '/c?x'])).toEqual(['/c?x', '/a', 'lamp', '/c?x']);
    const fresh = await handle.unseen(ARTICLES, urlOf);
    expect(fresh).toHaveLength(3);
    expect(fresh?.map((each) => ARTICLES.indexOf(each))).toEqual([0, 2, 3]);
    // Two objects of one page, and texts that are named by a function.
    const twice = [{ url: '/a' }, { url: '/b' }, { url: '/a' }];
    expect((await handle.unseen(twice, urlOf))?.map((each) => twice.lastIndexOf(each))).toEqual([0, 2]);
    expect(await handle.unseen(['a', 'b'], (name) => `/${name}`)).toEqual(['a']);
    expect(await handle.unseen([], urlOf)).toEqual([]);
  });

  it('are at most as many as the limit, the first of them', async () => {
    const handle = await openVisited();
    expect(await handle.unseen(['/b', '/c', '/a', '/d'], { limit: 2 })).toEqual(['/c', '/a']);
    expect(await handle.unseen(ARTICLES, urlOf, { limit: 1 })).toEqual([ARTICLES[0]]);
    expect(await handle.unseen(ARTICLES, urlOf, { limit: 0 })).toEqual([]);
    expect(await handle.unseen(ARTICLES, urlOf, { limit: 1_000 })).toHaveLength(3);
    expect(await handle.unseen(['/a', '/c'], {})).toEqual(['/a', '/c']);
  });

  it('are what was given when it was asked, whatever becomes of the list', async () => {
    const handle = await openVisited();
    const articles = [...ARTICLES];
    const asked = handle.unseen(articles, urlOf);
    articles.reverse();
    expect(await asked).toEqual([ARTICLES[0], ARTICLES[2], ARTICLES[3]]);
  });

  it('are the others than those that were seen; the page itself counts as seen', async () => {
    const handle = await openVisited('/a?x');
    const items = ['/a', '/b', 'book', '/c', 'lamp', '/b?x'];
    expect(await handle.unseen(items)).toEqual(['/c', 'lamp']);
    expect(await handle.seen(items)).toEqual(['/a', '/b', 'book', '/b?x']);
  });
});

describe('marks', () => {
  it('of items and of notices are kept apart', async () => {
    const handle = client.session(newSession());
    expect(await handle.markSeen(['n1', 'book'])).toEqual(['n1', 'book']);
    expect(await handle.notices.annotate(['n1'])).toEqual([{ id: 'n1', seen: false }]);
    expect(await handle.notices.markRead(['n1', 7])).toBe(2);
    const own = [
      { id: 'n1', title: 'One' },
      { id: 7, title: 'Seven' },
      { id: 8, title: 'Eight' },
    ];
    expect(await handle.notices.annotate(own)).toEqual(own.map((notice, i) => ({ ...notice, seen: i < 2 })));
    expect(await handle.seen(['n1', '7'])).toEqual(['n1']);
    expect(handle.notices).toBe(handle.notices);
  });
});

/** Calls that no compiler lets pass. */
const MISUSES: [string, (handle: SessionHandle) => unknown, typeof TypeError | typeof RangeError, RegExp][] = [
  ['a text for an array', (h) => h.unseen('/a' as never), TypeError, /unseen\(\) was given a text: give an array/],
  ['nothing', (h) => h.unseen(undefined as never), TypeError, /unseen\(\) was given undefined/],
  ['objects without a function', (h) => h.unseen(ARTICLES as never), TypeError, /objects and no function that names/],
  ['objects and options', (h) => h.unseen(ARTICLES as never, { limit: 2 }), TypeError, /\(article\) => article\.url/],
  ['objects and a field', (h) => h.unseen(ARTICLES, 'url' as never), TypeError, /objects and no function/],
  ['half a limit', (h) => h.unseen(['/a'], { limit: 2.5 }), RangeError, /limit 2\.5 cannot be used: give a whole/],
  ['a negative limit', (h) => h.unseen(ARTICLES, urlOf, { limit: -1 }), RangeError, /limit -1 cannot be used/],
  ['no number', (h) => h.unseen(['/a'], { limit: Number.NaN }), RangeError, /limit NaN cannot be used/],
  ['a limit as text', (h) => h.unseen(['/a'], { limit: '3' } as never), RangeError, /limit .*give a number/],
  ['an unknown option', (h) => h.unseen(['/a'], { limt: 3 } as never), RangeError, /"limt": did you mean "limit"/],
  ['a number for options', (h) => h.unseen(['/a'], 3 as never), RangeError, /takes its options as an object/],
  ['a text to seen', (h) => h.seen('/a' as never), TypeError, /seen\(\) was given a text/],
  ['a text to markSeen', (h) => h.markSeen('book' as never), TypeError, /markSeen\(\) was given a text/],
  ['a text to markRead', (h) => h.notices.markRead('n1' as never), TypeError, /notices\.markRead\(\) was given a text/],
  ['a text to annotate', (h) => h.notices.annotate('g' as never), TypeError, /an array of ids or notices/],
  ['null to annotate', (h) => h.notices.annotate(null as never), TypeError, /notices\.annotate\(\) was given null/],
  [
    'ids to list',
    (h) => h.notices.list(['n1'] as never),
    RangeError,
    /notices\.list\(\) takes its options as an object/,
  ],
  ['a text to list', (h) => h.notices.list('g' as never), RangeError, /known are groups, unreadOnly, limit, before/],
  ['null to list', (h) => h.notices.list(null as never), RangeError, /notices\.list\(\) takes its options/],
  ['an unknown option to list', (h) => h.notices.list({ group: 'a' } as never), RangeError, /did you mean "groups"/],
  ['a limit as text to list', (h) => h.notices.list({ limit: '3' } as never), RangeError, /limit .*give a number/],
  ['a text to unread', (h) => h.notices.unread('g' as never), RangeError, /notices\.unread\(\) takes its options/],
  ['a text to counts', (h) => h.notices.counts('g' as never), RangeError, /notices\.counts\(\) takes its options/],
  [
    'ids to markAllRead',
    (h) => h.notices.markAllRead(['n1'] as never),
    RangeError,
    /markAllRead\(\) takes its options/,
  ],
  ['a text to markSeen', (h) => h.notices.markSeen('n' as never), TypeError, /notices\.markSeen\(\) was given a text/],
  ['a text to mute', (h) => h.notices.mute('g' as never), TypeError, /notices\.mute\(\) was given a text/],
];

describe.each([
  ['with a visitor', () => client.session('abc')],
  ['without a visitor', () => client.withoutVisitor()],
])('a handle %s', (_, open) => {
  it.each(MISUSES)('refuses %s', (_what, misuse, kind, sentence) => {
    const { requests, publishes } = client.counters;
    expect(() => misuse(open())).toThrow(kind);
    expect(() => misuse(open())).toThrow(sentence);
    expect(client.counters).toMatchObject({ requests, publishes });
  });
});

describe('a handle', () => {
  it('answers undefined, and does not throw, for a list with what is no item: it can come from data', async () => {
    const told: Degraded[] = [];
    const own = new SessionClient({ redis: server.url, deadlineMs: LONG_MS });
    onTestFinished(() => own.close());
    own.on('degraded', (degraded) => told.push(degraded));
    expect(await own.ready()).toBe(true);
    const handle = own.session('abc');
    expect(await handle.unseen(['http://['])).toBeUndefined();
    expect(await handle.unseen([{ url: '/a' }, {}], ((each: { url?: string }) => each.url) as never)).toBeUndefined();
    expect(await handle.seen([7] as never)).toBeUndefined();
    expect(await handle.unseen(Array.from({ length: 1_001 }, (_, i) => `i${i}`))).toBeUndefined();
    expect(await handle.notices.list({ groups: [''] })).toBeUndefined();
    expect(await handle.notices.markAllRead({ groups: ['a', 7 as never] })).toBeUndefined();
    expect(await handle.notices.mute(['a b'])).toBe(false);
    const reasons = [...Array(3).fill('bad-payload'), 'too-large', ...Array(3).fill('bad-payload')];
    expect(told.map(({ reason }) => reason)).toEqual(reasons);
  });

  it('of no visitor answers undefined, takes nothing and sends nothing', async () => {
    const before = client.counters;
    const handle = client.withoutVisitor({ page: '/a', deadlineMs: 70 });
    expect([handle.id, handle.page, handle.leftMs]).toEqual([undefined, '/a', 70]);
    const answers = await Promise.all([
      ...[handle.visit(), handle.figures(), handle.suggestions(), handle.suggestions('cable')],
      ...[handle.unseen(['/a'], { limit: 1 }), handle.unseen(ARTICLES, urlOf), handle.unseen([]), handle.seen(['/a'])],
      ...[handle.markSeen(['book']), handle.notices.annotate(['n1']), handle.notices.list({ groups: ['g'] })],
      ...[handle.notices.list(), handle.notices.unread(), handle.notices.counts(), handle.notices.markAllSeen()],
      ...[handle.notices.markRead(['n1']), handle.request('pageview', '/a'), handle.request('pageview', '')],
      ...[handle.visit(), handle.session.visit(), handle.person.visit(), handle.request('surface', 7 as never)],
    ]);
    expect(answers).toEqual(answers.map(() => undefined));
    expect(await handle.publish('pageview', '/a')).toBe(false);
    expect(await handle.publish('mark-item-seen', ['book'])).toBe(false);
    expect(await handle.publish('pageview', null as never)).toBe(false);
    expect(handle.session).toBe(handle);
    expect(client.counters).toEqual(before);
    expect(() => client.withoutVisitor({ deadline: 7 } as never)).toThrow(/did you mean "deadlineMs"/);
    const alone = new SessionClient({ redis: 'unix:///nowhere/redis.sock' });
    onTestFinished(() => alone.close());
    expect(await alone.withoutVisitor().visit()).toBeUndefined();
  });

  it('of a session is its own session, and its person has no answers', async () => {
    const handle = await openVisited('/a');
    expect(handle.session).toBe(handle);
    expect(handle.person).toBe(handle.person);
    expect([handle.person.id, handle.person.page]).toEqual([undefined, '/a']);
    expect(await handle.person.visit()).toBeUndefined();
  });

  it('of a person is its own person, and asks as the session of the browser within the same deadline', async () => {
    const { id: browser } = await openVisited();
    const person = personOf('ada');
    const handle = client.session(person, { page: '/a', browser: browser!, deadlineMs: 15_000 });
    expect(handle.person).toBe(handle);
    expect([handle.session.id, handle.session.page, handle.session.leftMs]).toEqual([browser, '/a', 15_000]);
    expect(handle.session).toBe(handle.session);
    await client.request('pageview', person, '/c');
    expect(await handle.unseen(['/a', '/b', '/c'])).toEqual(['/b']);
    expect(await handle.session.unseen(['/a', '/b', '/c'])).toEqual(['/c']);
    expect(handle.leftMs).toBeLessThan(15_000);
    expect(handle.session.leftMs).toBe(handle.leftMs);
    expect(await client.session(person).session.visit()).toBeUndefined();
    expect(client.session(person).session.id).toBeUndefined();
    expect(() => client.session(person, { browser: 'a token: never' })).toThrow(RangeError);
  });
});
