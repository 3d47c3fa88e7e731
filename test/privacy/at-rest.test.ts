import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createToken, SessionClient, sessionOf } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { allFilesOf } from '../support/redis-files.ts';
import { useRedis } from '../support/use-redis.ts';
import { TEST_SECRET } from '../support/use-test-data.ts';
import { waitUntil } from '../support/wait-until.ts';

/* Promise 8: what lies in Redis's files after every command was used holds no token, no path and no item. Only what
 * passed through as a list reply may (docs/privacy.md): the client takes inbox replies, and the last test shows that
 * this looks where such a thing would be found. */

const PATH = '/a-page-that-nobody-may-read';
const ITEM = 'an-item-that-nobody-may-read';
const NOTICE = 'a-notice-id-that-nobody-may-read';
const EVENT = 'an-event-that-nobody-may-read';
const CLUSTER = 'a-cluster-that-nobody-may-read';
const GROUP = 'a-group-that-nobody-may-read';
const RULE = 'a-rule-that-nobody-may-read';
const SEGMENT = 'a-segment-that-nobody-may-read';

describe('data at rest', () => {
  const server = useRedis({ persistence: true, eachTest: 'kept' });
  let service: Service;
  let client: SessionClient;
  const token = createToken();

  beforeAll(async () => {
    const when = { all: [{ seen: PATH }, { seen: ITEM }, { event: EVENT, item: PATH }, { segment: SEGMENT }] };
    const suggestions = [{ name: RULE, when, suggest: 's', reason: 'r' }];
    const rules = {
      clusters: { [CLUSTER]: [`${PATH}/*`] },
      suggestions,
      segments: { [SEGMENT]: { cluster: CLUSTER } },
    };
    service = await startService({ redis: server.url, secret: TEST_SECRET, ...rules, seen: { exactLimit: 2 } });
    client = new SessionClient({ redis: server.url });
    await client.ready();
  });
  afterAll(async () => {
    await client.close();
    await service.stop();
  });

  it('holds the session, and nothing that it did', async () => {
    const session = client.session(sessionOf(token), { deadlineMs: 5_000 });
    for (const page of [PATH, `${PATH}/2`, `${PATH}/3`, `${PATH}/4`])
      expect(await session.request('pageview', page)).toBeDefined();
    expect(await session.markSeen([ITEM])).toBeDefined();
    expect(await session.track(EVENT, { items: [PATH] })).toBe(1);
    expect(await session.suggestions({ groups: [GROUP] })).toHaveLength(1);
    expect(await session.is(SEGMENT)).toBe(true);
    expect(await session.shown([RULE])).toBe(true);
    expect(await session.unseen([PATH, ITEM])).toEqual([]);
    expect(await session.notices.markRead([NOTICE])).toBeDefined();
    expect(await session.notices.annotate([NOTICE])).toEqual([{ id: NOTICE, seen: true }]);
    // What is counted of rules is written a moment later.
    const keysOf = (pattern: string) => server.redis.command<string[]>('KEYS', pattern);
    await waitUntil(
      'they are counted',
      async () => (await keysOf('*@segment*')).length + (await keysOf('*@rules')).length > 1,
    );
    const files = await allFilesOf(server);
    expect(files).toContain(session.id);
    const names = [PATH, ITEM, NOTICE, EVENT, CLUSTER, GROUP, RULE, SEGMENT];
    for (const hidden of [token, token.split('.')[1]!, ...names, TEST_SECRET]) {
      expect(files.includes(hidden), `${hidden} in the files of Redis`).toBe(false);
    }
  });

  it('but a list reply passes through the AOF, as docs/privacy.md says', async () => {
    const old = new SessionClient({ redis: server.url, replies: 'list' });
    await old.ready();
    expect(await old.session(sessionOf(token), { deadlineMs: 5_000 }).unseen(['/asked-over-a-list'])).toEqual([
      '/asked-over-a-list',
    ]);
    await old.close();
    expect(await allFilesOf(server)).toContain('/asked-over-a-list');
  });
});
