import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ItemHasher, Knowledge } from '../../src/knowledge/index.ts';
import { Keys } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { metricOf } from '../support/metric-of.ts';
import { useRedis } from '../support/use-redis.ts';

/* What the service makes of a `together`: its bounds, and that a part that is wrong or fails harms itself only. */

const SECRET = 'a secret of the tests, long enough';
const SUGGESTIONS = [
  {
    name: 'cable',
    when: { all: [{ seen: '/tv' }, { seen: '/mount' }] },
    suggest: '/cable',
    reason: 'It is too short.',
  },
];

const server = useRedis({ eachTest: 'kept' });
const { redis } = server;
let service: Service;
let foreign: ForeignClient;
let lastSession = 0;

beforeAll(async () => {
  service = await startService({ redis: server.url, secret: SECRET, suggestions: SUGGESTIONS });
  foreign = await ForeignClient.connect(server.url);
});
afterAll(async () => {
  await foreign?.close();
  await service?.stop();
});

function newSession(): string {
  lastSession += 1;
  return `visitor-${lastSession}`;
}

const together = (session: string, parts: unknown): Promise<unknown> => foreign.ask('together', session, parts);
const failed = (code: string, message = '') => ({ error: { code, message: expect.stringContaining(message) } });
const served = (command: string): Promise<number> => metricOf(service.metrics.requests, { command });

describe('together', () => {
  it('answers each part as the single command would', async () => {
    const session = newSession();
    for (const page of ['/tv', '/mount']) await foreign.ask('pageview', session, page);
    await foreign.ask('mark-notification-seen', session, ['n1']);
    const parts: [string, unknown][] = [
      ['surface', ['/tv', '/radio?a=1', 'lamp']],
      ['featuredpages', '["/radio"]'],
      ['combo', ''],
      ['combo', 'nothing'],
      ['notifications', ['n1', { id: 'n2', text: 'T' }]],
      ['notices', { groups: ['nobody'] }],
      ['notice-counts', ''],
      ['session-analytics', ''],
    ];
    const singly = [];
    for (const [command, payload] of parts) singly.push(await foreign.ask(command, session, payload));
    expect(await together(session, parts)).toEqual(singly);
    expect(singly[0]).toEqual(['/radio?a=1', 'lamp']);
  });

  it('counts a view that stands in front before it answers the questions', async () => {
    const session = newSession();
    const answer = await together(session, [
      ['pageview', '/tv'],
      ['surface', ['/tv', '/radio']],
      ['session-analytics', ''],
    ]);
    expect(answer).toMatchObject([{ totalPages: 1, newToSite: true }, ['/radio'], { totalPages: 1 }]);
    expect(await together(session, [['pageview', { path: '/mount' }]])).toMatchObject([{ totalPages: 2 }]);
    expect(await together(session, [['combo', '']])).toMatchObject([[{ rule: 'cable' }]]);
  });

  it('takes 16 parts and no more, and none', async () => {
    const part = ['combo', ''];
    expect(await together(newSession(), Array(16).fill(part))).toEqual(Array(16).fill([]));
    expect(await together(newSession(), Array(17).fill(part))).toEqual(failed('too-large', '17 parts'));
    expect(await together(newSession(), [])).toEqual([]);
  });

  it('takes 1,000 items in all its parts and no more', async () => {
    const items = (count: number): string[] => Array.from({ length: count }, (_, i) => `i${i}`);
    const parts = (count: number): unknown[] => [
      ['surface', items(400)],
      ['notifications', items(400)],
      ['surface', { items: items(count) }],
      ['notices', { groups: ['a', 'b'] }],
    ];
    expect(await together(newSession(), parts(198))).toMatchObject([
      { length: 400 },
      {},
      { length: 198 },
      { notices: [] },
    ]);
    expect(await together(newSession(), parts(199))).toEqual(failed('too-large', '1001 items'));
  });

  it('takes 64 KiB and no more', async () => {
    const parts = (bytes: number): string => {
      const around = JSON.stringify([['combo', '']]).length;
      return JSON.stringify([['combo', 'x'.repeat(bytes - around)]]);
    };
    expect(await together(newSession(), parts(65_536))).toEqual([[]]);
    expect(await together(newSession(), parts(65_537))).toEqual(failed('too-large', '65536 bytes'));
  });

  it.each(['', '{', '{}', '7', '"combo"', 'null', '[["combo",""]'])('refuses %j as a whole', async (payload) => {
    expect(await together(newSession(), payload)).toEqual(failed('bad-payload', 'a JSON array of [command, payload]'));
  });

  it('answers a part that is wrong with an error of its own', async () => {
    const wrong: [unknown, string][] = [
      [7, 'is not [command, payload]'],
      [null, 'is not [command, payload]'],
      [['combo'], 'is not [command, payload]'],
      [['combo', '', ''], 'is not [command, payload]'],
      [[7, ''], 'is not [command, payload]'],
      [['no-such-command', ''], 'no such command'],
      [['toString', ''], 'no such command'],
      [['pageview', '/tv'], 'can only be the first part'],
      [['mark-item-seen', 'tv'], 'cannot be a part'],
      [['mark-notification-seen', 'n'], 'cannot be a part'],
      [['mark-notices', { ids: ['n'], as: 'read' }], 'cannot be a part'],
      [['mute-groups', { mute: ['g'] }], 'cannot be a part'],
      [['notices', { groups: 'g' }], '"groups" is'],
      [['together', []], 'cannot be a part'],
      [['combo', null], 'is no object'],
      [['combo', 7], 'is no object'],
      [['session-analytics', {}], 'names no page: give nothing, or'],
      [['session-analytics', { here: 7 }], 'not an item'],
      [['surface', 7], 'not an array'],
      [['surface', { items: 7 }], 'not an array'],
    ];
    const session = newSession();
    for (const [part, message] of wrong) {
      expect(await together(session, [['surface', ['/tv']], part, ['combo', '']])).toEqual([
        ['/tv'],
        failed('bad-payload', message),
        [],
      ]);
    }
    expect(await foreign.ask('session-analytics', session, '')).toMatchObject({ totalPages: 0 });
    expect(
      await together(session, [
        ['pageview', ''],
        ['pageview', '/tv'],
      ]),
    ).toEqual([failed('bad-payload', 'empty'), failed('bad-payload', 'can only be the first part')]);
    expect(await together(session, [['mark-item-seen', 'tv']])).toEqual([failed('bad-payload')]);
  });

  it('harms no neighbour of a part that fails', async () => {
    const session = newSession();
    await foreign.ask('pageview', session, '/tv');
    await redis.command(
      'SET',
      new Keys('sw').noticeListIndex(new ItemHasher(SECRET, 'sw').of('group', 'broken')),
      'no list',
    );
    const before = await metricOf(service.metrics.errors, { command: 'notices', code: 'internal' });
    const parts = [
      ['surface', ['/tv', '/radio']],
      ['notices', { groups: ['broken'] }],
      ['session-analytics', ''],
    ];
    expect(await together(session, parts)).toMatchObject([['/radio'], failed('internal'), { totalPages: 1 }]);
    expect(await metricOf(service.metrics.errors, { command: 'notices', code: 'internal' })).toBe(before + 1);
  });

  it('harms neither its neighbours nor the view by a part whose answer cannot be written', async () => {
    const session = newSession();
    // It is repeated in the answer, and writing it needs more of the stack than reading it.
    const deep = `${'['.repeat(12_000)}${']'.repeat(12_000)}`;
    const payload = `[["pageview","/tv"],["notifications",[{"id":"n","deep":${deep}}]],["surface",["/tv","/radio"]]]`;
    expect(await together(session, payload)).toMatchObject([
      { totalPages: 1 },
      failed('bad-payload', 'nests too deeply'),
      ['/radio'],
    ]);
    expect(await foreign.ask('session-analytics', session, '')).toMatchObject({ totalPages: 1 });
  });

  it('answers no more than 8 MiB at once: the parts beyond it fail, and the view counts', async () => {
    const session = newSession();
    const { lists } = new Knowledge(redis, new Keys('sw'), SECRET, Date.now).notices;
    const list = (name: string) => ({ kind: 'group', name }) as const;
    const text = 'x'.repeat(4_096);
    for (let i = 0; i < 900; i += 1) await lists.publish(list('long-list'), { id: `n${i}`, text });
    const all = ['notices', { groups: ['long-list'], limit: 1000 }];
    const parts = [['pageview', '/tv'], all, all, all, ['surface', ['/tv', '/radio']]];
    expect(await together(session, parts)).toMatchObject([
      { totalPages: 1 },
      { notices: { length: 900 } },
      { notices: { length: 900 } },
      failed('too-large', '8 MiB'),
      ['/radio'],
    ]);
    expect(await foreign.ask('notices', session, all[1])).toMatchObject({ notices: { length: 900 } });
    for (let i = 0; i < 1000; i += 1) {
      await lists.publish(list('longer'), { id: `n${i}`, text, data: { more: text, further: text } });
    }
    const longer = { groups: ['longer'], limit: 1000 };
    expect(await foreign.ask('notices', session, longer)).toEqual(failed('too-large', '8 MiB'));
    expect(await foreign.ask('notices', session, { ...longer, limit: 100 })).toMatchObject({
      notices: { length: 100 },
    });
  }, 60_000);

  it('counts the whole and each part', async () => {
    const names = ['together', 'surface', 'combo', 'unknown'];
    const before = await Promise.all(names.map(served));
    await together(newSession(), [
      ['surface', []],
      ['featuredpages', []],
      ['combo', ''],
      ['x', ''],
    ]);
    const after = await Promise.all(names.map(served));
    expect(after.map((count, i) => count - before[i]!)).toEqual([1, 2, 1, 1]);
  });
});

describe('the page that a session looks at', () => {
  it('counts as seen, in `surface` alone and together', async () => {
    const session = newSession();
    await foreign.ask('pageview', session, '/tv');
    const query = { items: ['/tv', '/here?x=1', '/radio', 'https://shop.example/here'], here: '/here?from=mail' };
    expect(await foreign.ask('surface', session, query)).toEqual(['/radio']);
    expect(await together(session, [['surface', query]])).toEqual([['/radio']]);
    // Nothing was marked.
    expect(await foreign.ask('surface', session, ['/here'])).toEqual(['/here']);
  });

  it.each([[{ items: ['/a'], here: '' }], [{ items: ['/a'], here: 7 }], [{ here: '/a' }], [{ items: '/a' }]])(
    'cannot be asked about with %j',
    async (query) => {
      expect(await foreign.ask('surface', newSession(), query)).toEqual(failed('bad-payload'));
    },
  );
});
