import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { personOf, SessionClient } from '../../src/index.ts';
import { createConnection } from '../../src/redis/index.ts';
import { startService } from '../../src/service/index.ts';
import { askNotices } from '../support/ask-notices.ts';
import { askRules } from '../support/ask-rules.ts';
import { placesOf } from '../support/grep-redis.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { unservedCommands } from '../support/unserved-commands.ts';
import { waitUntil } from '../support/wait-until.ts';

/* A query can hold what logs somebody in (`/reset?token=...`). It does not leave the serving process: MONITOR sees all
 * that Redis is told, the dead letters and the append-only file what stays of it. */

const SECRET = 's3cret-of-a-query';
const PAGES = [
  `/reset?token=${SECRET}`,
  `/reset#${SECRET}`,
  `https://user:${SECRET}@shop.example/reset?token=${SECRET}`,
  `HTTP://shop.example?${SECRET}`,
];

it.each([
  ['channels', 'inbox'],
  ['channels', 'list'],
  ['streams', 'inbox'],
  ['inline', 'inbox'],
] as const)('over %s (replies: %s) no query reaches Redis, whatever the command', async (transport, replies) => {
  const server = await startTestRedis({ persistence: true });
  onTestFinished(() => server.stop());
  const admin = await createConnection(server.url).connect();
  onTestFinished(() => admin.close());
  const suggestions = [{ name: 'c', when: { seen: '/reset' }, suggest: 's', reason: 'r' }];
  const service = await startService({ redis: server.url, secret: 'x'.repeat(16), transport, suggestions });
  onTestFinished(() => service.stop());
  const monitor = connect(server.socketPath);
  onTestFinished(() => void monitor.destroy());
  let seen = '';
  monitor.on('data', (chunk) => {
    seen += chunk;
  });
  await once(monitor, 'connect');
  monitor.write('MONITOR\r\n');
  await waitUntil('it watches', () => seen.startsWith('+OK'));
  const client = new SessionClient(
    transport === 'inline'
      ? { transport: service.inline, deadlineMs: 10_000 }
      : { redis: server.url, transport, replies, deadlineMs: 10_000 },
  );
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  const session = client.session('abc', { deadlineMs: 10_000 });

  for (const page of PAGES) {
    expect(await session.request('pageview', page)).toBeDefined();
    expect(await session.request('pageview', { path: page, at: 1 })).toBeDefined();
    expect(await session.publish('pageview', page)).toBe(true);
    expect(await client.publish('pageview', 'abc', JSON.stringify({ path: page }))).toBe(true);
    expect(await session.notices.markRead([page])).toBe(1);
    // @ts-expect-error: as text it is JSON on the wire
    expect(await session.request('surface', JSON.stringify([page, `${page}&more`, 'fresh?']))).toEqual(['fresh?']);
  }
  expect(await session.unseen([...PAGES, '/fresh?a', '/fresh?b', 'name?kept'])).toEqual([
    '/fresh?a',
    '/fresh?b',
    'name?kept',
  ]);
  expect(await session.markSeen(PAGES)).toEqual(['/reset', '/reset', '/reset', '/']);
  expect(await session.request('mark-item-seen', JSON.stringify(PAGES))).toEqual(['/reset', '/reset', '/reset', '/']);
  expect(await session.request('pageview', { path: PAGES[0]!, once: 'v1' })).toBeDefined();
  expect(await session.request('active', '')).toEqual({ active: true });
  expect(await session.notices.markRead([...PAGES, 7])).toBe(PAGES.length + 1);
  expect(await session.request('mark-notification-seen', [...PAGES, 7])).toEqual([...PAGES, 7]);
  const notices = [...PAGES, { id: PAGES[0]!, link: PAGES[2], deep: { link: PAGES[1] } }, { id: 8, title: 'x' }];
  expect(await session.notices.annotate(notices)).toEqual([
    ...PAGES.map((id) => ({ id, seen: true })),
    { id: PAGES[0], link: PAGES[2], deep: { link: PAGES[1] }, seen: true },
    { id: 8, title: 'x', seen: false },
  ]);
  expect(await session.notices.list({ groups: [PAGES[0]!] })).toBeUndefined();
  expect(await session.suggestions()).toMatchObject([{ rule: 'c', because: ['/reset'] }]);
  expect(await session.figures()).toBeDefined();
  const [page] = PAGES;
  expect(await session.request('together', [['surface', { items: [page, '/fresh?a'], here: page }]])).toEqual([
    ['/fresh'],
  ]);
  const other = client.session('abc', { deadlineMs: 10_000, page: page! });
  const fresh = await Promise.all([other.unseen([page!, '/fresh?a']), other.notices.annotate([page!])]);
  expect(fresh).toEqual([['/fresh?a'], [{ id: page, seen: true }]]);
  expect(await other.visit()).toMatchObject({ previouslyVisited: true });
  expect(await client.request('identify', personOf('ada'), 'abc')).toEqual({ from: 'abc', merged: true });
  expect(await client.request('robots', 'abc', { refused: 1 })).toEqual({ refused: 1 });
  // `/reset` is the newer one.
  for (const id of PAGES.toReversed()) {
    const { at } = await client.notices.publish({ to: { session: 'abc' }, id, text: 'T' });
    await waitUntil('a millisecond is over', () => Date.now() > at);
  }
  const ofPages = client.session('abc', { deadlineMs: 10_000 }).notices;
  const { notices: listed, before } = (await ofPages.list({ limit: 1 }))!;
  expect(listed).toMatchObject([{ id: '/reset' }]);
  expect(await ofPages.list({ before: before! })).toMatchObject({ notices: [{ id: '/' }], before: null });
  expect(await ofPages.dismiss(PAGES)).toBe(PAGES.length);
  expect(await client.notices.withdraw(PAGES[0]!, { to: { session: 'abc' } })).toBe(1);
  await askNotices(client, 'reader');
  for (const each of PAGES) await askRules(client, `buyer-of-${PAGES.indexOf(each)}`, each);
  expect(await unservedCommands(service)).toEqual([]);
  // @ts-expect-error: a command of another version
  await client.request('later', 'abc', { items: [PAGES[0]] }, { deadlineMs: 100 });
  // @ts-expect-error: a command of another version
  await client.request('later', 'abc', PAGES[0], { deadlineMs: 100 });

  if (transport === 'streams') {
    const letters = await admin.command<string[]>('KEYS', 'sw:*@dead');
    expect(letters.length).toBeGreaterThan(0);
  }
  expect(seen).toContain('abc');
  expect(seen.split('\n').filter((line) => line.includes(SECRET))).toEqual([]);
  expect(await placesOf(server.url, [SECRET])).toEqual([]);
  const folder = join(server.dataDir, 'redis');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.aof'));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(readFileSync(join(folder, file), 'latin1').includes(SECRET), file).toBe(false);
  if (transport !== 'inline') expect(client.counters.degraded['malformed-reply']).toBeUndefined();
});
