import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { replyKey } from '../../src/protocol/index.ts';
import { openNamespace, type Service, startService } from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { metricOf } from '../support/metric-of.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* Every command of design.md over a real service, asked by a client that knows the wire only. */

const SECRET = 'a secret of the tests, long enough';
const MINUTE = 60_000;
const NOON = Date.UTC(2026, 10, 20, 12, 0, 30);
const SUGGESTIONS = [
  {
    name: 'cable',
    when: { all: [{ seen: '/tv' }, { seen: '/tv-mount' }] },
    suggest: '/hdmi-cable',
    reason: 'A television on a wall needs a longer cable.',
  },
  { name: 'lamp', when: { all: [{ seen: '/desk' }, { seen: 'chair' }] }, suggest: '/lamp', reason: '' },
  { name: 'solo', when: { seen: '/solo' }, suggest: 'https://h/duo', reason: 'Two are better.' },
];
const NOTHING_SEEN = { activityThisMinute: false, activity: [0, 0, 0, 0, 0], newToSite: true, inactive: false };
const FIRST_VIEW = { totalPages: 1, uniquePages: 1, previouslyVisited: false, ...NOTHING_SEEN };

const server = useRedis({ eachTest: 'kept' });
let service: Service;
let foreign: ForeignClient;
let now = NOON;
let lastSession = 0;

beforeAll(async () => {
  service = await startService({ redis: server.url, secret: SECRET, suggestions: SUGGESTIONS, clock: () => now });
  foreign = await ForeignClient.connect(server.url);
});
afterAll(async () => {
  await foreign?.close();
  await service?.stop();
});
beforeEach(() => {
  now = NOON;
});

function newSession(): string {
  lastSession += 1;
  return `session-${lastSession}`;
}

function view(session: string, page: unknown): Promise<unknown> {
  return foreign.ask('pageview', session, page);
}

describe('pageview', () => {
  it('answers as it was before this view, but for the two counts', async () => {
    const session = newSession();
    expect(await view(session, '/a')).toEqual(FIRST_VIEW);
    expect(await view(session, '/a')).toEqual({
      totalPages: 2,
      uniquePages: 1,
      previouslyVisited: true,
      activityThisMinute: true,
      activity: [0, 0, 0, 0, 0],
      newToSite: false,
      inactive: false,
    });
    now += MINUTE;
    expect(await view(session, '/b')).toEqual({
      totalPages: 3,
      uniquePages: 2,
      previouslyVisited: false,
      activityThisMinute: false,
      activity: [0, 0, 0, 0, 1],
      newToSite: false,
      inactive: false,
    });
  });

  it('calls a visitor inactive where the minutes T-5 to T were silent', async () => {
    const session = newSession();
    await view(session, '/a');
    now += 5 * MINUTE;
    expect(await view(session, '/a')).toMatchObject({ activity: [1, 0, 0, 0, 0], inactive: false });
    now += 6 * MINUTE;
    expect(await view(session, '/a')).toMatchObject({ activity: [0, 0, 0, 0, 0], inactive: true, newToSite: false });
    expect(await view(session, '/a')).toMatchObject({ activityThisMinute: true, inactive: false });
  });

  it('looks across midnight', async () => {
    const session = newSession();
    now = Date.UTC(2026, 10, 20, 23, 58, 59);
    expect(await view(session, '/a')).toMatchObject({ activity: [0, 0, 0, 0, 0] });
    now = Date.UTC(2026, 10, 20, 23, 59, 0);
    expect(await view(session, '/a')).toMatchObject({ activity: [0, 0, 0, 0, 1] });
    now = Date.UTC(2026, 10, 21, 0, 0, 0);
    expect(await view(session, '/a')).toMatchObject({ activity: [0, 0, 0, 1, 1], activityThisMinute: false });
    now = Date.UTC(2026, 10, 21, 0, 2, 0);
    expect(await view(session, '/a')).toMatchObject({ activity: [0, 1, 1, 1, 0], inactive: false });
    now = Date.UTC(2026, 10, 21, 0, 8, 0);
    expect(await view(session, '/a')).toMatchObject({ activity: [0, 0, 0, 0, 0], inactive: true });
  });

  it('answers 300 views around midnight as a plain model does', async () => {
    const session = newSession();
    const random = new SeededRandom(7);
    const pages = new Set<string>();
    const minutes = new Set<number>();
    now = Date.UTC(2026, 10, 20, 22, 0, 0);
    for (let views = 1; views <= 300; views += 1) {
      now += random.below(3) === 0 ? random.below(8 * MINUTE) : random.below(MINUTE);
      const page = `/p${random.below(40)}`;
      const minute = Math.floor(now / MINUTE);
      const activity = [5, 4, 3, 2, 1].map((back) => (minutes.has(minute - back) ? 1 : 0));
      const expected = {
        totalPages: views,
        uniquePages: pages.has(page) ? pages.size : pages.size + 1,
        previouslyVisited: pages.has(page),
        activityThisMinute: minutes.has(minute),
        activity,
        newToSite: views === 1,
        inactive: views > 1 && !minutes.has(minute) && !activity.includes(1),
      };
      expect(await view(session, page), `view ${views} at ${new Date(now).toISOString()}`).toEqual(expected);
      pages.add(page);
      minutes.add(minute);
    }
    expect(now).toBeGreaterThan(Date.UTC(2026, 10, 21, 2, 0, 0));
  });

  it('knows a page by its path', async () => {
    const session = newSession();
    await view(session, '/a?utm=1');
    for (const same of ['/a', 'https://shop.example/a?x#y', '/b/../a', { path: '/a#z' }]) {
      expect(await view(session, same), JSON.stringify(same)).toMatchObject({
        previouslyVisited: true,
        uniquePages: 1,
      });
    }
    for (const other of ['/a/', '/A', 'a', '//a']) {
      expect(await view(session, other), other).toMatchObject({ previouslyVisited: false });
    }
    expect(await view(session, '/a')).toMatchObject({ totalPages: 10, uniquePages: 5 });
  });

  it('keeps sessions apart', async () => {
    const [a, b] = [newSession(), newSession()];
    await view(a, '/a');
    expect(await view(b, '/a')).toEqual(FIRST_VIEW);
    expect(await view(`${a}x`, '/a')).toEqual(FIRST_VIEW);
  });

  it('ignores "at", and counts that, unless the service accepts times', async () => {
    const session = newSession();
    const ignored = await metricOf(service.metrics.timesIgnored);
    await view(session, { path: '/a', at: NOON - 3 * MINUTE });
    expect(await view(session, '/b')).toMatchObject({ activity: [0, 0, 0, 0, 0], activityThisMinute: true });
    expect(await metricOf(service.metrics.timesIgnored)).toBe(ignored + 1);
    expect(await view(session, { path: '/b' })).toMatchObject({ totalPages: 3 });
    expect(await metricOf(service.metrics.timesIgnored)).toBe(ignored + 1);
  });

  it('takes "at" where the service accepts times', async () => {
    const times = await startService({
      redis: server.url,
      secret: SECRET,
      namespace: 'times',
      acceptTimes: true,
      clock: () => now,
    });
    const asking = await ForeignClient.connect(server.url, 'times');
    onTestFinished(async () => {
      await asking.close();
      await times.stop();
    });
    const at = Date.UTC(2001, 1, 3, 4, 5, 6);
    await asking.ask('pageview', 'a', { path: '/a', at });
    await asking.ask('pageview', 'a', { path: '/a', at: at + 2 * MINUTE });
    expect(await asking.ask('pageview', 'a', { path: '/a', at: at + 3 * MINUTE })).toMatchObject({
      activity: [0, 0, 1, 0, 1],
    });
    expect(await asking.ask('session-analytics', 'a', '')).toMatchObject({
      totalPages: 3,
      activeMinutes: 3,
      firstActiveMinute: Date.UTC(2001, 1, 3, 4, 5, 0),
    });
    expect(await asking.ask('pageview', 'b', { path: '/a', at: 0 })).toEqual(FIRST_VIEW);
    expect(await asking.ask('pageview', 'b', { path: '/a', at: 4_294_967_295_999 })).toMatchObject({
      totalPages: 2,
      inactive: true,
    });
    expect(await asking.ask('pageview', 'b', '/a')).toMatchObject({ totalPages: 3, inactive: true });
    // The last second that is taken, and the first, are as they were.
    expect(await asking.ask('pageview', 'b', { path: '/a', at: 4_294_967_295_000 })).toMatchObject({
      totalPages: 4,
      activityThisMinute: true,
    });
    expect(await asking.ask('session-analytics', 'b', '')).toMatchObject({ activeMinutes: 3, firstActiveMinute: 0 });
    expect(await metricOf(times.metrics.timesIgnored)).toBe(0);
  });
});

describe('session-analytics', () => {
  it('knows nothing of a session that it never met, and makes nothing of it', async () => {
    const session = newSession();
    const before = await foreign.keys();
    expect(await foreign.ask('session-analytics', session, '')).toEqual({
      totalPages: 0,
      uniquePages: 0,
      ...NOTHING_SEEN,
      activeMinutes: 0,
      firstActiveMinute: null,
    });
    expect(await foreign.keys()).toEqual(before);
  });

  it('tells what pageview tells, without counting a view', async () => {
    const session = newSession();
    await view(session, '/a');
    now += 2 * MINUTE;
    await view(session, '/b');
    const expected = {
      totalPages: 2,
      uniquePages: 2,
      activityThisMinute: true,
      activity: [0, 0, 0, 1, 0],
      newToSite: false,
      inactive: false,
      activeMinutes: 2,
      firstActiveMinute: NOON - 30_000,
    };
    expect(await foreign.ask('session-analytics', session, '')).toEqual(expected);
    expect(await foreign.ask('session-analytics', session, '')).toEqual(expected);
  });

  it('tells what the view of a page will tell, and makes nothing of the page', async () => {
    const session = newSession();
    const before = await foreign.keys();
    const unknown = await foreign.ask('session-analytics', session, '{"here":"/a?b"}');
    expect(unknown).toEqual({
      ...{ totalPages: 1, uniquePages: 1, ...NOTHING_SEEN, activeMinutes: 0, firstActiveMinute: null },
      previouslyVisited: false,
    });
    expect(await foreign.keys()).toEqual(before);
    for (const [page, previouslyVisited] of [
      ['/a', false],
      ['/a', true],
      ['/b', false],
    ] as const) {
      const told = (await foreign.ask('session-analytics', session, { here: `${page}?query` })) as object;
      const viewed = (await view(session, page)) as object;
      expect(told).toMatchObject({ ...viewed, previouslyVisited });
      now += 2 * MINUTE;
    }
    expect(await foreign.ask('session-analytics', session, '')).toMatchObject({ totalPages: 3, uniquePages: 2 });
  });
});

describe('combo', () => {
  it('holds when all of its items were seen, and says because of what', async () => {
    const session = newSession();
    expect(await foreign.ask('combo', session, '')).toEqual([]);
    await view(session, '/tv?color=black');
    expect(await foreign.ask('combo', session, '')).toEqual([]);
    await view(session, '/tv-mount');
    const cable = {
      rule: 'cable',
      suggest: '/hdmi-cable',
      because: ['/tv', '/tv-mount'],
      reason: 'A television on a wall needs a longer cable.',
    };
    expect(await foreign.ask('combo', session, '')).toEqual([cable]);
    expect(await foreign.ask('combo', session, 'cable')).toEqual([cable]);
    expect(await foreign.ask('combo', session, 'lamp')).toEqual([]);
    await view(session, '/solo');
    expect(await foreign.ask('combo', session, '')).toEqual([
      cable,
      { rule: 'solo', suggest: 'https://h/duo', because: ['/solo'], reason: 'Two are better.' },
    ]);
  });

  it('counts pages and items, whichever was seen as what', async () => {
    const session = newSession();
    await view(session, '/desk');
    expect(await foreign.ask('combo', session, 'lamp')).toEqual([]);
    await foreign.ask('mark-item-seen', session, 'chair');
    expect(await foreign.ask('combo', session, 'lamp')).toEqual([
      { rule: 'lamp', suggest: '/lamp', because: ['/desk', 'chair'], reason: '' },
    ]);
    expect(await foreign.ask('combo', newSession(), 'lamp')).toEqual([]);
    // The white paper's sample of 2018 sends `1`.
    for (const unknown of ['1', 'nothing', ' ', 'constructor', '__proto__']) {
      expect(await foreign.ask('combo', session, unknown)).toEqual([]);
    }
  });
});

describe.each(['surface', 'surface'])('%s', (command) => {
  it('gives back what was not seen, as it came and in its order', async () => {
    const session = newSession();
    const items = ['/z', '/a?from=mail', 'tv', 'https://h/b#c', '/z', '/m'];
    expect(await foreign.ask(command, session, items)).toEqual(items);
    await view(session, '/b');
    await view(session, '/z');
    expect(await foreign.ask(command, session, items)).toEqual(['/a?from=mail', 'tv', '/m']);
    await view(session, '/a');
    await foreign.ask('mark-item-seen', session, ['tv']);
    expect(await foreign.ask(command, session, items)).toEqual(['/m']);
    expect(await foreign.ask(command, session, ['/m', '/m'])).toEqual(['/m', '/m']);
    expect(await foreign.ask(command, session, [])).toEqual([]);
    expect(await foreign.ask(command, newSession(), items)).toEqual(items);
  });

  it('never surfaces a page whose view was acknowledged, however many there were', async () => {
    const session = newSession();
    const pages = Array.from({ length: 200 }, (_, i) => `/p${i}`);
    for (const page of pages) await view(session, page);
    expect(await foreign.ask(command, session, pages)).toEqual([]);
  });
});

describe('mark-item-seen', () => {
  it('takes an item or an array of items, and answers what was marked', async () => {
    const session = newSession();
    expect(await foreign.ask('mark-item-seen', session, 'tv')).toEqual(['tv']);
    expect(await foreign.ask('mark-item-seen', session, ['radio', 'tv', 'radio'])).toEqual(['radio', 'tv', 'radio']);
    expect(await foreign.ask('mark-item-seen', session, [])).toEqual([]);
    expect(await foreign.ask('surface', session, ['tv', 'radio', 'lamp'])).toEqual(['lamp']);
  });

  it('is no page view', async () => {
    const session = newSession();
    await foreign.ask('mark-item-seen', session, ['tv', '/tv']);
    expect(await foreign.ask('session-analytics', session, '')).toMatchObject({ totalPages: 0, uniquePages: 0 });
    expect(await view(session, '/tv')).toEqual(FIRST_VIEW);
  });
});

describe('notifications', () => {
  it('tells of each id whether it was read, in order, with the fields that came along', async () => {
    const session = newSession();
    const given = ['a', { id: 'b', text: 'B', nested: { x: [1] } }, 7, { id: 8, seen: 'no' }];
    const answer = (seen: boolean[]) => [
      { id: 'a', seen: seen[0] },
      { id: 'b', text: 'B', nested: { x: [1] }, seen: seen[1] },
      { id: 7, seen: seen[2] },
      { id: 8, seen: seen[3] },
    ];
    expect(await foreign.ask('notifications', session, given)).toEqual(answer([false, false, false, false]));
    expect(await foreign.ask('mark-notification-seen', session, 'b')).toEqual(['b']);
    expect(await foreign.ask('mark-notification-seen', session, [8])).toEqual([8]);
    expect(await foreign.ask('notifications', session, given)).toEqual(answer([false, true, false, true]));
    expect(await foreign.ask('notifications', newSession(), given)).toEqual(answer([false, false, false, false]));
    expect(await foreign.ask('notifications', session, [])).toEqual([]);
  });

  it('takes 7 and "7" for the same notice', async () => {
    const session = newSession();
    await foreign.ask('mark-notification-seen', session, '7');
    expect(await foreign.ask('notifications', session, [7, '7', '07'])).toEqual([
      { id: 7, seen: true },
      { id: '7', seen: true },
      { id: '07', seen: false },
    ]);
  });

  it('is no place for a field to play tricks', async () => {
    const payload = '[{"id":"a","__proto__":{"seen":true},"constructor":1,"seen":true}]';
    expect(await foreign.askByInbox('notifications', newSession(), payload)).toBe(
      '[{"id":"a","__proto__":{"seen":true},"constructor":1,"seen":false}]',
    );
  });

  it('reads lists that the store keeps, the newest first', async () => {
    const namespace = await openNamespace({ redis: server.url, secret: SECRET });
    onTestFinished(() => namespace.redis.close());
    const { lists } = namespace.knowledge.notices;
    const publish = async (name: string, notice: Parameters<typeof lists.publish>[1]): Promise<void> => {
      const { at } = await lists.publish({ kind: 'group', name }, notice);
      // The next one is newer by its time too.
      await waitUntil('a millisecond is over', () => Date.now() > at);
    };
    for (const id of ['n1', 'n2', 'n3']) await publish('all', { id, text: `Text of ${id}` });
    await publish('team:x', { id: 'n4', text: 'For few', data: { link: '/sale' } });
    await publish('team:x', { id: 'n3', text: 'Text of n3' });

    const session = newSession();
    const ask = async (query: unknown) =>
      ((await foreign.ask('notices', session, query)) as { notices: Record<string, unknown>[] }).notices;
    const [newest, ...older] = await ask({ groups: ['all'] });
    const unread = { seen: false, read: false };
    expect(newest).toEqual({ id: 'n3', text: 'Text of n3', at: expect.any(Number), group: 'all', ...unread });
    expect(older.map(({ id }) => id)).toEqual(['n2', 'n1']);
    expect((await ask({ groups: ['all'], limit: 1 })).map(({ id }) => id)).toEqual(['n3']);
    expect(await ask({ groups: ['nobody'] })).toEqual([]);

    await foreign.ask('mark-notification-seen', session, ['n2', 'n4']);
    const readById = async (query: unknown) => Object.fromEntries((await ask(query)).map(({ id, read }) => [id, read]));
    expect(await readById({ groups: ['all'] })).toEqual({ n1: false, n2: true, n3: false });
    expect(await readById({ groups: ['team:x', 'all', 'all'] })).toEqual({ n1: false, n2: true, n3: false, n4: true });
    expect(await ask({ groups: ['team:x'], limit: 2 })).toContainEqual({
      id: 'n4',
      text: 'For few',
      data: { link: '/sale' },
      at: expect.any(Number),
      group: 'team:x',
      seen: true,
      read: true,
    });
    // Read in one group is read in all, and asked for by id it is the same.
    await foreign.ask('mark-notification-seen', session, 'n3');
    expect(await readById({ groups: ['all'], limit: 1 })).toEqual({ n3: true });
    expect(await readById({ groups: ['team:x'], limit: 1 })).toEqual({ n3: true });
    expect(await foreign.ask('notifications', session, ['n1', 'n3', 'foreign'])).toEqual([
      { id: 'n1', seen: false },
      { id: 'n3', seen: true },
      { id: 'foreign', seen: false },
    ]);
    expect(await foreign.ask('notifications', newSession(), ['n3'])).toEqual([{ id: 'n3', seen: false }]);
  });
});

describe('mark-notification-seen', () => {
  it('answers what was marked, and marking again changes nothing', async () => {
    const session = newSession();
    expect(await foreign.ask('mark-notification-seen', session, ['x', 9, 'x'])).toEqual(['x', 9, 'x']);
    expect(await foreign.ask('mark-notification-seen', session, ['x'])).toEqual(['x']);
    expect(await foreign.ask('mark-notification-seen', session, [])).toEqual([]);
    expect(await foreign.ask('notifications', session, ['x', 9, 'y'])).toEqual([
      { id: 'x', seen: true },
      { id: 9, seen: true },
      { id: 'y', seen: false },
    ]);
  });

  it('is no item and no page', async () => {
    const session = newSession();
    await foreign.ask('mark-notification-seen', session, ['tv', '/tv']);
    expect(await foreign.ask('surface', session, ['tv', '/tv'])).toEqual(['tv', '/tv']);
  });
});

/** Command, payload, the reply's text to a session that is new. */
const TEXTS: [string, string, string][] = [
  [
    'pageview',
    '/a',
    '{"totalPages":1,"uniquePages":1,"previouslyVisited":false,"activityThisMinute":false,"activity":[0,0,0,0,0],"newToSite":true,"inactive":false}',
  ],
  [
    'pageview',
    'https://h:80/a:b?c',
    '{"totalPages":1,"uniquePages":1,"previouslyVisited":false,"activityThisMinute":false,"activity":[0,0,0,0,0],"newToSite":true,"inactive":false}',
  ],
  [
    'session-analytics',
    '',
    '{"totalPages":0,"uniquePages":0,"activityThisMinute":false,"activity":[0,0,0,0,0],"newToSite":true,"inactive":false,"activeMinutes":0,"firstActiveMinute":null}',
  ],
  ['combo', '', '[]'],
  ['surface', '["/a:b","\\u00e4"]', '["/a:b","ä"]'],
  ['surface', '[]', '[]'],
  [
    'notifications',
    '[1,{"id":"n:1","t":"a \\"b\\""}]',
    '[{"id":1,"seen":false},{"id":"n:1","t":"a \\"b\\"","seen":false}]',
  ],
  ['mark-notification-seen', 'n:1', '["n:1"]'],
  ['mark-notification-seen', '[1,"2"]', '[1,"2"]'],
  ['mark-item-seen', ' an item ', '[" an item "]'],
  ['combo', 'nothing', '[]'],
  [
    'surface',
    '{}',
    '{"error":{"code":"bad-payload","message":"The payload {} is not an array: give a JSON array of items, or {\\"items\\":[...],\\"here\\":\\"/p\\"}."}}',
  ],
];

describe('the ways of a request', () => {
  it.each(TEXTS)(
    '%s %j: the same text, encoded once, by list and by inbox, in the message and in the channel',
    async (command, payload, text) => {
      expect(await foreign.askByList(command, newSession(), payload)).toBe(text);
      expect(await foreign.askByList(command, newSession(), payload, true)).toBe(text);
      expect(await foreign.askByInbox(command, newSession(), payload)).toBe(text);
      expect(await foreign.askByInbox(command, newSession(), payload, true)).toBe(text);
      expect(typeof JSON.parse(text)).toBe('object');
    },
  );

  it('prefer the fifth part to the message', async () => {
    const session = newSession();
    const request = foreign.nextRequest();
    await foreign.redis.command('PUBLISH', `ss:mark-item-seen:${session}:${request}:fifth:part`, 'message');
    expect(await foreign.take('mark-item-seen', session, request)).toBe('["fifth:part"]');
  });

  it('leave a reply list of one element, that waits half a second for its caller', async () => {
    const unclaimed = await metricOf(service.metrics.unclaimed);
    const topic = { command: 'surface', session: newSession(), request: foreign.nextRequest() };
    const key = replyKey('sw', topic);
    await foreign.publish(topic.command, topic.session, topic.request, '["/a"]');
    await waitUntil('the reply is there', async () => (await foreign.redis.command('EXISTS', key)) === 1);
    const [length, element, ttl] = await Promise.all([
      foreign.redis.command('LLEN', key),
      foreign.redis.command('LINDEX', key, '0'),
      foreign.redis.command<number>('PTTL', key),
    ]);
    expect(length).toBe(1);
    expect(element).toBe('["/a"]');
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(500);
    await waitUntil('nobody took it', async () => (await metricOf(service.metrics.unclaimed)) === unclaimed + 1);
    await waitUntil('it is gone', async () => (await foreign.redis.command('EXISTS', key)) === 0);
  });

  it('count each of many lists that nobody took, and none that was taken', async () => {
    const unclaimed = await metricOf(service.metrics.unclaimed);
    await foreign.askByList('surface', newSession(), '["/taken"]');
    for (let i = 0; i < 5; i += 1) {
      await foreign.publish('surface', newSession(), foreign.nextRequest(), '["/left"]');
    }
    await foreign.askByList('surface', newSession(), '["/taken"]');
    await waitUntil('five are counted', async () => (await metricOf(service.metrics.unclaimed)) >= unclaimed + 5);
    expect(await metricOf(service.metrics.unclaimed)).toBe(unclaimed + 5);
    await waitUntil('they are gone', async () => !(await foreign.keys()).some((key) => key.startsWith('async:')));
  });

  it('count a reply to an inbox that nobody hears', async () => {
    const unclaimed = await metricOf(service.metrics.unclaimed);
    await foreign.publish('combo', newSession(), 'nobody.1', '');
    await waitUntil('it is counted', async () => (await metricOf(service.metrics.unclaimed)) === unclaimed + 1);
  });

  it('answer nothing where the request begins with _', async () => {
    const replies: string[] = [];
    const listener = await foreign.redis.duplicate().connect();
    onTestFinished(() => listener.close());
    await listener.subscribePatterns(['async:*'], (_, channel) => {
      if (channel !== 'async:_instances') replies.push(channel);
    });
    const session = newSession();
    const served = await metricOf(service.metrics.requests);
    await foreign.publish('pageview', session, '_', '/a');
    await foreign.publish('pageview', session, '_1', '/b');
    await foreign.publish('pageview', session, '_box.1', '/c');
    await foreign.publish('pageview', session, '_2', 'http://');
    await waitUntil('all four are served', async () => (await metricOf(service.metrics.requests)) === served + 4);
    expect(await foreign.ask('session-analytics', session, '')).toMatchObject({ totalPages: 3 });
    expect((await foreign.keys()).filter((key) => key.startsWith('async:'))).toEqual([]);
    expect(replies).toEqual([expect.stringMatching(/^async:inbox-/)]);
  });
});

const ITEM_TOO_LONG = 'x'.repeat(2049);
const MANY = JSON.stringify(Array.from({ length: 1001 }, (_, i) => `i${i}`));
const TOO_MANY_GROUPS = JSON.stringify({ groups: Array.from({ length: 101 }, (_, i) => `g${i}`) });
const LARGE = `"${'x'.repeat(64 * 1024 - 1)}"`;
const DEEP = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;

const BAD: [string, string, 'bad-payload' | 'too-large'][] = [
  ...['', '{', '{}', '{"path":1}', '{"path":""}', '{"path":null}', 'http://', '{"path":"http://"}', '{"at":1}'].map(
    (payload) => ['pageview', payload, 'bad-payload'] as [string, string, 'bad-payload'],
  ),
  ...['"x"', '-1', '1.5', '4294967296000', '9e15', 'null', '1e400', '[]'].map(
    (at) => ['pageview', `{"path":"/a","at":${at}}`, 'bad-payload'] as [string, string, 'bad-payload'],
  ),
  ['pageview', `/${ITEM_TOO_LONG}`, 'too-large'],
  ['pageview', `{"path":"/${ITEM_TOO_LONG}"}`, 'too-large'],
  ['pageview', `/?${'x'.repeat(64 * 1024 - 1)}`, 'too-large'],
  ['session-analytics', ' ', 'bad-payload'],
  ...['{}', '"/a"', '["/a"]', '{"page":"/a"}', '{"here":null}', '{"here":7}', '{"here":""}', '{"here":"http://"}'].map(
    (payload) => ['session-analytics', payload, 'bad-payload'] as [string, string, 'bad-payload'],
  ),
  ['session-analytics', `{"here":"/${ITEM_TOO_LONG}"}`, 'too-large'],
  ['session-analytics', LARGE, 'too-large'],
  ['combo', LARGE, 'too-large'],
  ...['surface', 'surface'].flatMap((command) => [
    ...[
      '',
      'x',
      '/a',
      '{}',
      '"a"',
      '7',
      'null',
      '["a",]',
      '[1]',
      '[null]',
      '[[]]',
      '[{}]',
      '["a",""]',
      '["http://"]',
      DEEP,
    ].map((payload) => [command, payload, 'bad-payload'] as [string, string, 'bad-payload']),
    [command, MANY, 'too-large'] as [string, string, 'too-large'],
    [command, `["${ITEM_TOO_LONG}"]`, 'too-large'] as [string, string, 'too-large'],
    [command, `[${LARGE}]`, 'too-large'] as [string, string, 'too-large'],
  ]),
  ...[
    ...[
      '',
      'x',
      '"a"',
      '7',
      'null',
      'true',
      '[null]',
      '[1.5]',
      '[true]',
      '[""]',
      '[{}]',
      '[{"id":null}]',
      '[{"id":1.5}]',
    ],
    ...['[[]]', '["http://"]', '[9007199254740992]', '{}', '{"groups":["a"]}', DEEP],
  ].map((payload) => ['notifications', payload, 'bad-payload'] as [string, string, 'bad-payload']),
  ...(
    [
      [
        'notices',
        '[]',
        '7',
        '{"groups":"a"}',
        '{"groups":["a b"]}',
        '{"groups":[""]}',
        '{"groups":null}',
        '{"group":[]}',
      ],
      ['notices', '{"limit":0}', '{"limit":1001}', '{"limit":1.5}', '{"limit":"5"}', '{"unreadOnly":1}', DEEP],
      ['notices', '{"before":"x"}', '{"before":7}', TOO_MANY_GROUPS],
      ['notice-counts', '[]', '{"groups":[{}]}', '{"limit":1}', TOO_MANY_GROUPS],
      ['live', 'x', '{"groups":["*"]}', '{"topic":"t"}', TOO_MANY_GROUPS],
      ['mark-notices', '', '{}', '{"ids":["a"]}', '{"as":"read"}', '{"ids":["a"],"groups":["g"],"as":"read"}'],
      ['mark-notices', '{"ids":"a","as":"read"}', '{"ids":[""],"as":"read"}', '{"ids":["a"],"as":"forgotten"}'],
      [
        'mark-notices',
        '{"ids":["a"],"as":"read","at":1}',
        '{"groups":["a b"],"as":"seen"}',
        '{"ids":[1.5],"as":"read"}',
      ],
      ['mute-groups', '', '[]', '{"mute":"a"}', '{"mute":["a b"]}', '{"mute":["a"],"unmute":["a"]}', '{"muted":[]}'],
      ['publish-notice', '', '{}', '{"id":"a","text":"T"}', '{"to":{"group":"a"},"text":"T"}', noticeOf({ text: '' })],
      ['publish-notice', noticeOf({ to: { group: 'a b' } }), noticeOf({ to: { group: 'a', segment: 'b' } })],
      ['publish-notice', noticeOf({ to: { subject: 'no id' } }), noticeOf({ to: 'a' }), noticeOf({ titel: 'T' })],
      ['publish-notice', noticeOf({ text: 'x'.repeat(4097) }), noticeOf({ title: '' }), noticeOf({ severity: 'loud' })],
      ['publish-notice', noticeOf({ data: [] }), noticeOf({ data: { x: 'x'.repeat(8192) } }), noticeOf({ id: 1.5 })],
      ['publish-notice', noticeOf({ publishAt: -1 }), noticeOf({ expiresAt: 2 ** 43 }), noticeOf({ expiresAt: 5 })],
      ['publish-notice', noticeOf({ publishAt: 5, expiresAt: 5 }), noticeOf({ publishAt: '2100-01-01' })],
      ['edit-notice', '', '{}', '{"text":"T"}', '{"id":"a","text":null}', '{"id":"a","to":{"group":"g"},"text":"T"}'],
      ['withdraw-notice', '', '{}', '{"id":null}', '{"id":"a","text":"T"}', '{"id":"a","to":{"segment":"g"}}'],
      ['list-notices', '', '{}', '{"of":{}}', '{"of":{"group":"a"},"limit":0}', '{"to":{"group":"a"}}'],
      ['notice-stats', '', '{}', '"a"', '[null]', '[1.5]'],
      ['set-group', '', '{"group":"a"}', '{"group":"a b","join":"all"}', '{"group":"a","join":"later"}'],
    ] as [string, ...string[]][]
  ).flatMap(([command, ...payloads]) =>
    payloads.map((payload) => [command, payload, 'bad-payload'] as [string, string, 'bad-payload']),
  ),
  ...['mark-notices', 'publish-notice', 'notices'].map(
    (command) => [command, `{"to":${LARGE}}`, 'too-large'] as [string, string, 'too-large'],
  ),
  ['mark-notices', `{"ids":${MANY},"as":"read"}`, 'too-large'],
  ['mark-notices', `{"ids":["${ITEM_TOO_LONG}"],"as":"read"}`, 'too-large'],
  ['publish-notice', noticeOf({ id: ITEM_TOO_LONG }), 'too-large'],
  ['notice-stats', MANY, 'too-large'],
  ['notifications', MANY, 'too-large'],
  ['notifications', `["${ITEM_TOO_LONG}"]`, 'too-large'],
  ['notifications', `[{"id":"a","text":${LARGE}}]`, 'too-large'],
  ...['mark-notification-seen', 'mark-item-seen'].flatMap((command) => [
    ...['', '[', '[null]', '[1.5]', '[""]', '["a",""]', '[{}]', '[["a"]]', 'http://', '["a"]x', DEEP].map(
      (payload) => [command, payload, 'bad-payload'] as [string, string, 'bad-payload'],
    ),
    [command, MANY, 'too-large'] as [string, string, 'too-large'],
    [command, ITEM_TOO_LONG, 'too-large'] as [string, string, 'too-large'],
    [command, `["a","${ITEM_TOO_LONG}"]`, 'too-large'] as [string, string, 'too-large'],
    [command, LARGE, 'too-large'] as [string, string, 'too-large'],
  ]),
  ['mark-item-seen', '[7]', 'bad-payload'],
];

describe('a payload that cannot be served', () => {
  it.each(BAD.map(([command, payload, code]) => [command, shorten(payload), code, payload] as const))(
    '%s %s: %s, at once, and nothing is written',
    async (command, _, code, payload) => {
      const session = newSession();
      const errors = await metricOf(service.metrics.errors, { code });
      const text = await foreign.askByInbox(command, session, payload);
      const { error, ...more } = JSON.parse(text);
      expect(error).toEqual({ code, message: expect.stringMatching(/^.{10,400}$/s) });
      expect(more).toEqual({});
      expect(await metricOf(service.metrics.errors, { code })).toBe(errors + 1);
      expect((await foreign.keys()).filter((key) => key.includes(session))).toEqual([]);
    },
  );

  it('hears it by list too', async () => {
    const text = await foreign.askByList('surface', newSession(), 'x');
    expect(JSON.parse(text!)).toMatchObject({ error: { code: 'bad-payload' } });
  });

  it('is served or refused, but never fails inside, where it nests deeply', async () => {
    const text = await foreign.askByInbox('notifications', newSession(), `[{"id":"a","deep":${DEEP}}]`);
    expect(JSON.parse(text).error?.code).not.toBe('internal');
  });
});

describe('the limits', () => {
  it('are included', async () => {
    const session = newSession();
    expect(await foreign.ask('pageview', session, `/?${'x'.repeat(64 * 1024 - 2)}`)).toEqual(FIRST_VIEW);
    expect(await foreign.ask('pageview', session, `/${'x'.repeat(2047)}`)).toMatchObject({ totalPages: 2 });
    const items = Array.from({ length: 1000 }, (_, i) => `i${i}`);
    for (const command of ['surface', 'mark-item-seen', 'mark-notification-seen']) {
      expect(await foreign.ask(command, session, items), command).toEqual(items);
    }
    expect(await foreign.ask('notifications', session, items)).toEqual(items.map((id) => ({ id, seen: true })));
    expect(await foreign.ask('surface', session, items)).toEqual([]);
    const groups = Array.from({ length: 100 }, (_, i) => `nobody-${i}`);
    expect(await foreign.ask('notices', session, { groups, limit: 1000 })).toMatchObject({ notices: [], unread: 0 });
    expect(await foreign.ask('mark-notices', session, { ids: items, as: 'read' })).toEqual({
      as: 'read',
      marked: 1000,
    });
  });

  it('count bytes and not characters', async () => {
    const session = newSession();
    const characters = (count: number) => `/?${'ä'.repeat(count)}`;
    expect(await foreign.ask('pageview', session, characters(32 * 1024 - 1))).toEqual(FIRST_VIEW);
    expect(await foreign.ask('pageview', session, characters(32 * 1024))).toMatchObject({
      error: { code: 'too-large' },
    });
  });
});

describe('a command that nobody serves', () => {
  it('has no receiver', async () => {
    for (const command of ['unknown', 'Pageview', 'pageview2', '']) {
      expect(await foreign.publish(command, newSession(), foreign.nextRequest(), '')).toBe(0);
    }
  });
});

/** The payload of `publish-notice` with something wrong. */
function noticeOf(wrong: object): string {
  return JSON.stringify({ to: { group: 'a' }, id: 'a', text: 'T', ...wrong });
}

function shorten(payload: string): string {
  return payload.length > 60 ? `${payload.slice(0, 40)}... (${payload.length})` : JSON.stringify(payload);
}
