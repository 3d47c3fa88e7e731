import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { checkPairNames, PairCounts, pairNamesOf } from '../../src/knowledge/index.ts';
import { personOf } from '../../src/protocol/index.ts';
import { type Namespace, openNamespace, type Service, startService } from '../../src/service/index.ts';
import { LivePairs, MOST_NAMES_OF_SUBJECT } from '../../src/service/live-pairs.ts';
import { silentLog } from '../../src/service/log.ts';
import { startRedisProxy } from '../support/redis-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { useCluster } from '../support/use-cluster.ts';
import { useRedis } from '../support/use-redis.ts';

/* Live counts of pairs: exact beside a plain model, free where they are off, and without names and subjects in Redis. */

const SECRET = 'a secret of the tests, long enough';
const WEEK_MS = 7 * 86_400_000;
const NAMES = ['/tv', '/radio', '/cable', 'leaflet', 'coupon'];

const server = useRedis();

/** Counts by hand, on a namespace of its own. */
async function openPairs(
  names: readonly string[] = NAMES,
  { url = server.url, clock }: { url?: string; clock?: () => number } = {},
) {
  const opened: Namespace = await openNamespace({ redis: url, secret: SECRET, ...(clock && { clock }) });
  onTestFinished(() => opened.redis.destroy());
  const { knowledge, redis, keys } = opened;
  const registered = pairNamesOf(knowledge.items, checkPairNames(names));
  const counts = new PairCounts(redis, keys, registered, knowledge.now);
  const outcomes: string[] = [];
  const pairs = new LivePairs({
    ...{ knowledge, counts, names: registered, log: silentLog, isEnabled: () => true },
    onSubject: (outcome) => void outcomes.push(outcome),
  });
  /** As the service does it. */
  const see = async (session: string, name: string): Promise<void> => {
    const { subject } = knowledge.read(session);
    const kind = name.startsWith('/') ? 'page' : 'item';
    const hash = knowledge.items.of(kind, name);
    const [seen] =
      kind === 'page'
        ? [(await knowledge.recordView(subject, hash)).previouslyVisited]
        : await knowledge.markItems(subject, [hash]);
    if (!seen) pairs.saw(subject, kind, hash);
  };
  return { ...opened, counts, pairs, see, outcomes };
}

/** The counts as a table: names, and pairs of names that were seen together. */
async function tableOf(
  counts: PairCounts,
  names: readonly string[] = NAMES,
  weeks = 5,
): Promise<Record<string, number>> {
  const { subjects, single, both } = await counts.read(weeks);
  const table: Record<string, number> = { subjects };
  for (const [i, name] of names.entries()) {
    if (single[i]! > 0) table[name] = single[i]!;
    for (let j = 0; j < i; j += 1) if (both(i, j) > 0) table[`${names[j]} + ${name}`] = both(i, j);
  }
  return table;
}

describe('live counts of pairs', () => {
  it('are those of a plain model, in whatever order subjects see names and counts are written', async () => {
    const { see, pairs, counts } = await openPairs();
    const random = new SeededRandom(5);
    const histories = new Map<string, Set<string>>();
    for (let step = 0; step < 1_500; step += 1) {
      const session = random.next() < 0.3 ? personOf(`person ${random.below(20)}`) : `session${random.below(80)}`;
      const name = random.next() < 0.2 ? `/other${random.below(9)}` : random.pick(NAMES);
      await see(session, name);
      if (!histories.has(session)) histories.set(session, new Set());
      histories.get(session)!.add(name);
      if (random.next() < 0.05) await pairs.write();
    }
    await pairs.write();
    const wanted: Record<string, number> = { subjects: 0 };
    for (const history of histories.values()) {
      const seen = NAMES.filter((name) => history.has(name));
      if (seen.length > 0) wanted.subjects! += 1;
      for (const [i, name] of seen.entries()) {
        wanted[name] = (wanted[name] ?? 0) + 1;
        for (const other of seen.slice(0, i)) wanted[`${other} + ${name}`] = (wanted[`${other} + ${name}`] ?? 0) + 1;
      }
    }
    expect(await tableOf(counts)).toEqual(wanted);
    expect(wanted.subjects).toBeGreaterThan(80);
  });

  it('count a subject once for each name, however often it comes', async () => {
    const { see, pairs, counts } = await openPairs();
    for (let again = 0; again < 3; again += 1) {
      for (const name of ['/tv', '/cable', '/tv']) await see('ada', name);
      await pairs.write();
    }
    expect(await tableOf(counts)).toEqual({ subjects: 1, '/tv': 1, '/cable': 1, '/tv + /cable': 1 });
  });

  it('also where what was seen has outgrown the record', async () => {
    const { see, pairs, counts } = await openPairs();
    await see('reader', '/tv');
    for (let page = 0; page < 600; page += 1) await see('reader', `/page${page}`);
    await pairs.write();
    await see('reader', '/cable');
    await pairs.write();
    expect(await tableOf(counts)).toEqual({ subjects: 1, '/tv': 1, '/cable': 1, '/tv + /cable': 1 });
  });

  it('leave out subjects that saw too many names, as robots do', async () => {
    const names = Array.from({ length: MOST_NAMES_OF_SUBJECT + 1 }, (_, i) => `/name${i}`);
    const { see, pairs, counts, outcomes } = await openPairs(names);
    for (const name of names.slice(1)) await see('busy', name);
    for (const name of names) await see('robot', name);
    await pairs.write();
    expect(outcomes.sort()).toEqual(['counted', 'crowded']);
    expect(await counts.read(1)).toMatchObject({ subjects: 1 });
  });

  it('leave out a subject that was erased before it was counted', async () => {
    const { see, pairs, counts, redis, keys } = await openPairs();
    await see('gone', '/tv');
    await redis.command('DEL', ...keys.all('gone'));
    await pairs.write();
    expect(await tableOf(counts)).toEqual({ subjects: 0 });
  });

  it('are kept by weeks, five of them, and each expires', async () => {
    let now = 2_900 * WEEK_MS + 1_000;
    const { see, pairs, counts, redis } = await openPairs(NAMES, { clock: () => now });
    await see('ada', '/tv');
    await pairs.write();
    now += WEEK_MS;
    await see('ada', '/cable');
    await see('bob', '/cable');
    await pairs.write();
    expect(await tableOf(counts, NAMES, 1)).toEqual({ subjects: 1, '/cable': 2, '/tv + /cable': 1 });
    expect(await tableOf(counts, NAMES, 2)).toEqual({ subjects: 2, '/tv': 1, '/cable': 2, '/tv + /cable': 1 });
    const keys = await redis.command<string[]>('KEYS', 'sw:*@pairs*');
    expect(keys).toHaveLength(4);
    for (const key of keys) {
      const seconds = await redis.command<number>('TTL', key);
      expect(seconds).toBeGreaterThan((4 * WEEK_MS) / 1_000);
      expect(seconds).toBeLessThanOrEqual((5 * WEEK_MS) / 1_000);
    }
  });

  it('find their names again after others were registered, and those without room are told', async () => {
    const first = Array.from({ length: 300 }, (_, i) => `/first${i}`);
    const second = Array.from({ length: 300 }, (_, i) => `/second${i}`);
    const one = await openPairs(first);
    const other = await openPairs([...second, '/first7']);
    const key = (low: number, high: number) => low * 1024 + high;
    const all = (names: readonly string[]) => new Map(names.map((_, i) => [key(i, i), 2] as const));
    expect(await one.counts.add({ subjects: 1, pairs: all(first) })).toBe(0);
    expect(await other.counts.add({ subjects: 1, pairs: all([...second, '/first7']) })).toBe(100);
    const { subjects, single } = await other.counts.read(1);
    expect({ subjects, seventh: single[300], fits: single[199], none: single[200] }).toEqual({
      ...{ subjects: 2, seventh: 4, fits: 2, none: 0 },
    });
    const [bytes] = await Promise.all(
      (await one.redis.command<string[]>('KEYS', 'sw:*@pairs:*[0-9]')).map((each) =>
        one.redis.command<number>('STRLEN', each),
      ),
    );
    expect(bytes).toBeLessThanOrEqual(4 * (1 + (500 * 501) / 2));
  });

  it('take a bounded number of steps at once, whatever was seen', async () => {
    const names = Array.from({ length: 500 }, (_, i) => `/name${i}`);
    const { counts } = await openPairs(names);
    const pairs = new Map<number, number>();
    for (let high = 0; high < 500; high += 1)
      for (let low = 0; low <= high; low += 7) pairs.set(low * 1024 + high, low + 1);
    await counts.add({ subjects: 3, pairs });
    const { subjects, both } = await counts.read(1);
    expect(subjects).toBe(3);
    for (const [key, count] of pairs) expect(both(key % 1024, Math.floor(key / 1024))).toBe(count);
  });

  it('say nothing of names and subjects in Redis', async () => {
    const { see, pairs, redis } = await openPairs();
    for (const session of ['ada-session', 'bob-session']) for (const name of NAMES) await see(session, name);
    await pairs.write();
    const keys = await redis.command<string[]>('KEYS', 'sw:*@pairs*');
    const values = await Promise.all(
      keys.map(async (key) =>
        key.endsWith(':names')
          ? JSON.stringify(await redis.command('HGETALL', key))
          : (await redis.commandForBuffers<Buffer>('GET', key)).toString('latin1'),
      ),
    );
    expect(keys).toHaveLength(2);
    for (const word of ['tv', 'radio', 'cable', 'leaflet', 'coupon', 'ada', 'bob']) {
      for (const text of [...keys, ...values]) expect(text).not.toContain(word);
    }
  });

  it('never fail a page: where Redis is away they are lost, and said so', async () => {
    const { see, pairs, outcomes, redis } = await openPairs();
    await see('ada', '/tv');
    redis.destroy();
    await pairs.write();
    expect(outcomes).toEqual(['failed']);
  });
});

describe('what live counts cost', () => {
  it('a view costs what it costs without them; written, one read of all subjects and one step', async () => {
    const proxy = await startRedisProxy(server.socketPath);
    onTestFinished(() => proxy.close());
    const { see, pairs } = await openPairs(NAMES, { url: proxy.url });
    await see('warm', '/tv');
    await pairs.write();
    const sent = async (work: () => Promise<void>): Promise<string[]> => {
      proxy.reset();
      await work();
      return proxy.commands('sessionwise-service').map(([name]) => name!);
    };
    expect(await sent(() => see('ada', '/other'))).toEqual(['EVALSHA']);
    expect(await sent(() => pairs.write())).toEqual([]);
    expect(await sent(() => see('ada', '/tv'))).toEqual(['EVALSHA']);
    for (let i = 0; i < 50; i += 1) await see(`session${i}`, '/cable');
    expect(await sent(() => pairs.write())).toEqual(['MGET', 'EVALSHA']);
    expect(await sent(() => pairs.write())).toEqual([]);
    await see('ada', '/tv'); // seen before
    expect(await sent(() => pairs.write())).toEqual([]);
  });
});

describe('a service with live counts', () => {
  const start = async (options: {
    livePairs?: { names: string[] };
  }): Promise<{ service: Service; client: SessionClient }> => {
    const service = await startService({ redis: server.url, secret: SECRET, ...options });
    onTestFinished(() => service.stop());
    const client = new SessionClient({ transport: service.inline });
    onTestFinished(() => client.close());
    return { service, client };
  };

  it('counts views and marks, writes them when it stops, and `discover --live` tells pairs of ten subjects or more', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sw-live-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ livePairs: { names: NAMES } }));
    const discover = (...flags: string[]) =>
      runCli(['discover', '--live', '--redis', server.url, '--config', 'config.json', ...flags], {
        cwd: folder,
        env: { SESSIONWISE_SECRET: SECRET },
      });
    const { service, client } = await start({ livePairs: { names: NAMES } });
    const see = async (session: string, ...names: string[]): Promise<void> => {
      for (const name of names) {
        if (name.startsWith('/')) await client.request('pageview', session, name);
        else await client.request('mark-item-seen', session, [name, 'another']);
      }
    };
    for (let i = 0; i < 9; i += 1) await see(`radio${i}`, '/radio', '/tv');
    await service.stop();
    expect(await discover()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Fewer than 10 subjects were counted'),
    });

    const second = await start({ livePairs: { names: NAMES } });
    const seeAgain = async (session: string, name: string): Promise<unknown> =>
      name.startsWith('/')
        ? second.client.request('pageview', session, name)
        : second.client.request('mark-item-seen', session, [name, 'another']);
    for (let i = 0; i < 12; i += 1) for (const name of ['/cable', 'leaflet']) await seeAgain(`cable${i}`, name);
    await second.service.stop();
    const { stdout, stderr } = await discover('--out', 'drafts.json');
    expect(stderr).toBe('');
    expect(stdout).toBe(`\
Live counts of the last 4 weeks: 21 subjects, 5 names.

2 rules in at least 10 subjects, right in at least 25 % of the cases: 2 of 2 items.
The best 2:

1.  leaflet => /cable
    Of 12 subjects that saw leaflet, 12 also saw /cable (100 %).
    Of all subjects 57 % do: 1.8 times as many.

2.  /cable => leaflet
    Of 12 subjects that saw /cable, 12 also saw leaflet (100 %).
    Of all subjects 57 % do: 1.8 times as many.

drafts.json holds 2 drafts, 2 of them new.
Read them with: sessionwise rules drafts --drafts drafts.json
`);
    const json = JSON.parse((await discover('--json', '--support', '2', '--confidence', '0')).stdout);
    expect(json).toMatchObject({ live: true, weeks: 4, minCount: 10, rules: 2 });
    expect(JSON.stringify(json)).not.toContain('radio');
  }, 60_000);

  it('counts nothing without them', async () => {
    const { service, client } = await start({});
    for (let i = 0; i < 20; i += 1)
      for (const name of ['/tv', '/cable']) await client.request('pageview', `s${i}`, name);
    await service.stop();
    expect(await server.redis.command<string[]>('KEYS', '*@pairs*')).toEqual([]);
  });

  it.each([
    [{ names: ['/a'] }, /livePairs\.names cannot be used: give an array of 2 to 500 names/],
    [{ names: Array.from({ length: 501 }, (_, i) => `/${i}`) }, /2 to 500 names/],
    [{ names: ['/a', 7] }, /livePairs\.names\[1\] cannot be used/],
    [{ names: ['/a', ''] }, /livePairs\.names\[1\]: An item is empty/],
    [{ names: ['/a?b', '/a'] }, /"\/a" stands there twice/],
    [{ name: ['/a', '/b'] }, /livePairs.*name.*names/],
  ])('refuses %j', async (livePairs, message) => {
    await expect(startService({ redis: server.url, secret: SECRET, livePairs: livePairs as never })).rejects.toThrow(
      message,
    );
  });
});

describe('live counts on a Cluster', () => {
  const cluster = useCluster();

  it('are counted and read', async () => {
    const { see, pairs, counts } = await openPairs(NAMES, { url: cluster.url });
    for (let i = 0; i < 20; i += 1) for (const name of ['/tv', '/cable']) await see(`session${i}`, name);
    await pairs.write();
    expect(await tableOf(counts)).toEqual({ subjects: 20, '/tv': 20, '/cable': 20, '/tv + /cable': 20 });
  }, 120_000);
});
