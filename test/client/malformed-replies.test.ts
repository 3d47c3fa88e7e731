import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandMap, type CommandName, type Degraded, SessionClient } from '../../src/index.ts';
import { CANONICAL_COMMANDS, canonicalCommand } from '../../src/protocol/index.ts';
import type { RedisConnection } from '../../src/redis/index.ts';
import { useRedis } from '../support/use-redis.ts';

/* Whoever may publish on a client's inbox can answer anything. Here somebody does: a page gets `undefined` and a reason,
 * and never what it would break on. */

const VISIT = {
  totalPages: 1,
  uniquePages: 1,
  activityThisMinute: false,
  activity: [0, 0, 1, 0, 0],
  newToSite: true,
  inactive: false,
};
const VIEW = { ...VISIT, previouslyVisited: false };
const ANALYTICS = { ...VISIT, activeMinutes: 1, firstActiveMinute: null };
const SUGGESTION = { rule: 'c', suggest: 's', because: ['/a'], reason: '' };
const EXPLANATION = { holds: true, text: 'has seen /a', seen: '/a' };
const EXPLAINED_RULE = { rule: 'c', holds: true, shown: true, explanation: EXPLANATION };
const EXPLAINED = { suggestions: [SUGGESTION], rules: [EXPLAINED_RULE], segments: { s: EXPLANATION } };
const NOTICE = { id: 'n', text: 't', at: 1 };
const SHOWN = { ...NOTICE, group: 'g', seen: false, read: false };
const COUNTS = { unseen: 1, unread: 2, changesAt: null };
const NOTICES = { notices: [SHOWN], before: null, muted: ['h'], ...COUNTS };
const NO_ARRAYS = [null, true, 0, '', 'text', {}, { length: 1 }, { error: {} }, { error: { code: 'odd' } }];

/** A reply that is given to the page as it is. */
function taken(reply: unknown): [answered: unknown, read: unknown] {
  return [reply, reply];
}

/** An object without each of its fields in turn. */
function without(whole: object): object[] {
  return Object.keys(whole).map((field) => ({ ...whole, [field]: undefined }));
}

type Case = [CommandName, payload: unknown, right: [answered: unknown, read: unknown][], wrong: unknown[]];
const CASES: Case[] = [
  [
    'pageview',
    '/a',
    [
      [VIEW, VIEW],
      [
        { ...VIEW, later: 1 },
        { ...VIEW, later: 1 },
      ],
    ],
    [
      ...NO_ARRAYS,
      [],
      [VIEW],
      ...Object.keys(VIEW).flatMap((field) => [
        { ...VIEW, [field]: undefined },
        { ...VIEW, [field]: null },
        { ...VIEW, [field]: '1' },
      ]),
      { ...VIEW, totalPages: -1 },
      { ...VIEW, totalPages: 1.5 },
      { ...VIEW, activity: [0, 0, 0, 0] },
      { ...VIEW, activity: [0, 0, 0, 0, 2] },
      { ...VIEW, activity: { length: 5 } },
    ],
  ],
  ['session-analytics', '', [[ANALYTICS, ANALYTICS]], [...NO_ARRAYS, VISIT, { ...ANALYTICS, firstActiveMinute: 'x' }]],
  [
    'session-analytics',
    { here: '/a' },
    [
      [
        { ...ANALYTICS, previouslyVisited: true },
        { ...ANALYTICS, previouslyVisited: true },
      ],
    ],
    [...NO_ARRAYS, ANALYTICS, VIEW, { ...ANALYTICS, previouslyVisited: 1 }],
  ],
  ['active', '', [[{ active: true }, { active: true }]], [...NO_ARRAYS, [], {}, { active: 1 }]],
  [
    'identify',
    'visitor',
    [
      [
        { from: 'visitor', merged: true },
        { from: 'visitor', merged: true },
      ],
    ],
    [...NO_ARRAYS, [], { from: 'visitor' }, { from: 'other', merged: true }, { from: 'visitor', merged: false }],
  ],
  [
    'combo',
    '',
    [
      [[], []],
      [[SUGGESTION], [SUGGESTION]],
    ],
    [
      ...NO_ARRAYS,
      [null],
      [{}],
      [[]],
      [SUGGESTION, { ...SUGGESTION, because: 'x' }],
      [{ ...SUGGESTION, because: [1] }],
    ],
  ],
  [
    'combo',
    { explain: true },
    [taken(EXPLAINED), taken({ suggestions: [], rules: [], segments: {} })],
    [
      ...NO_ARRAYS,
      [],
      ...without(EXPLAINED),
      { ...EXPLAINED, suggestions: [{ ...SUGGESTION, rule: 1 }] },
      { ...EXPLAINED, rules: [{ ...EXPLAINED_RULE, explanation: { holds: true } }] },
      ...without(EXPLAINED_RULE).map((rule) => ({ ...EXPLAINED, rules: [rule] })),
      { ...EXPLAINED, segments: { s: true } },
    ],
  ],
  [
    'segments',
    { names: ['a', 'b'] },
    [taken({ a: true, b: false }), taken({ a: true, b: false, c: true })],
    [null, true, 0, '', 'text', [], {}, { a: true }, { a: true, b: 1 }, { error: {} }],
  ],
  [
    'track',
    { event: 'e' },
    [taken({ event: 'e', count: 1, dropped: 0 })],
    [...NO_ARRAYS, [], { event: 'f', count: 1, dropped: 0 }, { event: 'e', count: -1, dropped: 0 }, { event: 'e' }],
  ],
  ['robots', { refused: 7 }, [taken({ refused: 7 })], [...NO_ARRAYS, [], {}, { refused: 8 }, { refused: '7' }]],
  [
    'mark-suggestions',
    { rules: ['a', 'b'], as: 'shown' },
    [taken({ rules: ['a', 'b'], as: 'shown' })],
    [...NO_ARRAYS, [], { rules: ['b', 'a'], as: 'shown' }, { rules: ['a', 'b'], as: 'taken' }, { rules: ['a'] }],
  ],
  ['segments', '', [taken({}), taken({ a: true })], [null, [], { a: 'yes' }]],
  [
    'surface',
    ['/a', '/b?q', '/b?r', 'c'],
    [
      [[], []],
      [
        ['/b', '/b', 'c'],
        ['/b?q', '/b?r', 'c'],
      ],
    ],
    [...NO_ARRAYS, [null], ['/x'], ['/a', 1], [['/a']], Array.from({ length: 9 }, (_, i) => `/${i}`)],
  ],
  [
    'notifications',
    ['n', { id: '/m?q', title: 't' }, 3],
    [
      [
        [
          { id: 'n', seen: true },
          { id: '/m', seen: false },
          { id: 3, seen: true },
        ],
        [
          { id: 'n', seen: true },
          { id: '/m?q', title: 't', seen: false },
          { id: 3, seen: true },
        ],
      ],
    ],
    [
      ...NO_ARRAYS,
      [],
      [{ id: 'n', seen: true }],
      [
        { id: 'n', seen: true },
        { id: '/m', seen: true },
        { id: '3', seen: true },
      ],
      [
        { id: 'n', seen: 1 },
        { id: '/m', seen: true },
        { id: 3, seen: true },
      ],
      [null, null, null],
    ],
  ],
  [
    'notices',
    { groups: ['g'] },
    [taken(NOTICES), taken({ ...NOTICES, notices: [], before: '1 n', changesAt: 5 })],
    [
      ...NO_ARRAYS,
      [],
      [NOTICES],
      ...Object.keys(NOTICES).flatMap((field) => [
        { ...NOTICES, [field]: undefined },
        { ...NOTICES, [field]: true },
      ]),
      ...Object.keys(SHOWN).map((field) => ({ ...NOTICES, notices: [{ ...SHOWN, [field]: {} }] })),
      ...['title', 'severity', 'data', 'expiresAt', 'segment'].map((field) => ({
        ...NOTICES,
        notices: [SHOWN, { ...SHOWN, [field]: [] }],
      })),
      { ...NOTICES, muted: [7] },
    ],
  ],
  ['notice-counts', '', [taken(COUNTS)], [...NO_ARRAYS, ...without(COUNTS), { ...COUNTS, unread: -1 }]],
  [
    'live',
    { groups: ['g'] },
    [
      taken({
        topic: 't',
        lists: [
          { topic: 'l', group: 'g' },
          { topic: 'm', segment: 's' },
        ],
        ...COUNTS,
      }),
    ],
    [
      ...[...NO_ARRAYS, COUNTS, ...without({ topic: 't', lists: [], ...COUNTS })],
      ...[7, null, 't', { topic: 't' }, { group: 'g' }, { topic: 7, group: 'g' }, { topic: 't', group: 7 }].map(
        (list) => ({
          ...{ topic: 't', lists: [list] },
          ...COUNTS,
        }),
      ),
    ],
  ],
  [
    'mark-notices',
    { ids: ['n'], as: 'read' },
    [taken({ as: 'read', marked: 1 })],
    [...NO_ARRAYS, { as: 'seen', marked: 1 }, { as: 'read' }, { as: 'read', marked: -1 }],
  ],
  [
    'mute-groups',
    { mute: ['g'] },
    [taken({ muted: ['g'], unmuted: [] })],
    [...NO_ARRAYS, { muted: ['g'] }, { muted: 'g', unmuted: [] }],
  ],
  [
    'publish-notice',
    { to: { group: 'g' }, id: 'n', text: 'T' },
    [taken({ id: 'n', isNew: true, at: 1 })],
    [...NO_ARRAYS, ...without({ id: 'n', isNew: true, at: 1 }), { id: 'm', isNew: true, at: 1 }],
  ],
  [
    'edit-notice',
    { id: 'n', text: 'T' },
    [taken({ id: 'n', lists: 0 })],
    [...NO_ARRAYS, { id: 'm', lists: 1 }, { id: 'n', lists: '1' }],
  ],
  ['withdraw-notice', { id: 'n' }, [taken({ id: 'n', lists: 2 })], [...NO_ARRAYS, { id: 'n' }]],
  [
    'list-notices',
    { of: { group: 'g' } },
    [taken([]), taken([{ ...NOTICE, data: { link: '/' } }])],
    [...NO_ARRAYS, [null], ...without(NOTICE).map((notice) => [notice]), [{ ...NOTICE, data: 'x' }]],
  ],
  [
    'notice-stats',
    ['n'],
    [taken([{ id: 'n', seen: 2, read: 1 }])],
    [...NO_ARRAYS, [], [{ id: 'm', seen: 2, read: 1 }], [{ id: 'n', seen: 2 }]],
  ],
  [
    'set-group',
    { group: 'g', join: 'now' },
    [taken({ group: 'g', join: 'now' })],
    [...NO_ARRAYS, { group: 'h', join: 'now' }, { group: 'g', join: 'all' }],
  ],
  [
    'mark-item-seen',
    ['/a?q', 'b'],
    [
      [
        ['/a', 'b'],
        ['/a', 'b'],
      ],
    ],
    [...NO_ARRAYS, [], ['/a'], ['b', '/a'], ['/a', 'b', 'c']],
  ],
  [
    'mark-notification-seen',
    ['/n?q', 7],
    [
      [
        ['/n', 7],
        ['/n?q', 7],
      ],
    ],
    [...NO_ARRAYS, [], ['/n', '7'], [7, '/n']],
  ],
  ['together', [['combo', '']], [[[[]], [[]]]], [...NO_ARRAYS, [], [[], []]]],
];

describe('a reply to a client', () => {
  const server = useRedis({ eachTest: 'kept' });
  const { redis: forger } = server;
  let ears: RedisConnection;
  let client: SessionClient;
  let answer: (request: string) => string;

  beforeAll(async () => {
    ears = await forger.duplicate().connect();
    await ears.subscribePatterns(['ss:*'], (_, channel) => {
      const [inbox, number] = channel.split(':')[3]!.split('.');
      void forger.command('PUBLISH', `async:${inbox}`, `${number} ${answer(channel)}`);
    });
    client = new SessionClient({ redis: server.url, deadlineMs: 10_000 });
    expect(await client.ready()).toBe(true);
  });
  afterAll(async () => {
    await client.close();
    await ears.close();
  });

  const ask = (command: CommandName, payload: unknown, reply: unknown): Promise<unknown> => {
    answer = () => (reply === undefined ? '{not JSON' : JSON.stringify(reply));
    return client.request(command, 'abc', payload as CommandMap[typeof command]['payload'] as never);
  };

  it('has cases for each command', () => {
    const commands = new Set(CASES.map(([command]) => canonicalCommand(command)));
    expect([...commands].sort()).toEqual([...CANONICAL_COMMANDS].sort());
  });

  it.each(CASES)('of %s (%j) that has its form is given to the page', async (command, payload, right) => {
    for (const [reply, read] of right) expect(await ask(command, payload, reply)).toEqual(read);
  });

  it.each(CASES)('of %s (%j) of another form is a degraded answer, counted', async (command, payload, _, wrong) => {
    const told: Degraded[] = [];
    const note = (degraded: Degraded): void => void told.push(degraded);
    client.on('degraded', note);
    const before = client.counters;
    for (const reply of [undefined, ...wrong]) {
      expect(await ask(command, payload, reply), JSON.stringify(reply)).toBeUndefined();
      expect(told.at(-1)).toMatchObject({ command, session: 'abc', reason: 'malformed-reply' });
    }
    client.off('degraded', note);
    const { degraded, replies } = client.counters;
    expect(degraded['malformed-reply']! - (before.degraded['malformed-reply'] ?? 0)).toBe(wrong.length + 1);
    expect(replies).toBe(before.replies);
  });

  it('that is nothing but malformed opens no breaker, and an error reply is told by its code', async () => {
    for (let i = 0; i < 20; i += 1) expect(await ask('surface', ['/a'], {})).toBeUndefined();
    expect(await ask('surface', ['/a'], ['/a'])).toEqual(['/a']);
    let reason = '';
    client.once('degraded', (degraded) => {
      reason = degraded.reason;
    });
    expect(await ask('surface', ['/a'], { error: { code: 'internal', message: 7 } })).toBeUndefined();
    expect(reason).toBe('internal');
  });
});
