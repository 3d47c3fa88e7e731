import { describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient, type SessionClientOptions } from '../../src/index.ts';
import { isPerson, personOf } from '../../src/protocol/index.ts';
import { Keys } from '../../src/redis/index.ts';
import { openNamespace, type Service, type ServiceOptions, startService } from '../../src/service/index.ts';
import { SITE_INTERVAL_MS } from '../../src/service/site-counting.ts';
import { metricOf } from '../support/metric-of.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { startRedisProxy } from '../support/redis-proxy.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { SiteModel, siteEvents } from '../support/site-model.ts';
import { useCluster } from '../support/use-cluster.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What the dashboard tells of the whole site: exact beside a plain model, whatever the transport and however many
 * instances, and at a cost that does not grow with the views. */

const SECRET = 'a secret of the tests, long enough';
const CLUSTERS = { televisions: ['/tv/*'], 'all things': ['/**'] };
const LIVE_PAIRS = { names: ['/tv/1', '/radio', 'a marked item'] };
const PAGES = ['/tv/1', '/tv/2', '/radio', '/imprint', '/secret/path'];
const NAMES = {
  'cluster televisions': (page: string) => page.startsWith('/tv/'),
  'cluster all things': () => true,
  'page /tv/1': (page: string) => page === '/tv/1',
  'page /radio': (page: string) => page === '/radio',
};
const MINUTE_MS = 60_000;
const DEADLINE_MS = 30_000;

const server = useRedis();

/** Opens the site as the dashboard does: with the secret, and without the service's configuration. */
async function openSite(url: string = server.url, options: { secret?: string; clock?: () => number } = {}) {
  const opened = await openNamespace({ redis: url, secret: SECRET, ...options });
  onTestFinished(() => opened.redis.destroy());
  return opened.knowledge.site;
}

async function start(options: Partial<ServiceOptions> = {}): Promise<Service> {
  const service = await startService({
    ...{ redis: server.url, secret: SECRET, transport: 'inline', clusters: CLUSTERS, livePairs: LIVE_PAIRS },
    ...options,
  });
  onTestFinished(() => service.stop());
  return service;
}

async function openClient(options: SessionClientOptions): Promise<SessionClient> {
  const client = new SessionClient({ deadlineMs: DEADLINE_MS, ...options });
  onTestFinished(() => client.close());
  expect(await client.ready(DEADLINE_MS)).toBe(true);
  return client;
}

/** As `names` of the model. */
function namesOf(pages: readonly { kind: string; name: string; views: number }[]): Record<string, number> {
  return Object.fromEntries(pages.map(({ kind, name, views }) => [`${kind} ${name}`, views]));
}

function about(expected: number): unknown {
  // Six standard errors of a HyperLogLog, twice: sessions and persons are counted apart.
  const tolerance = Math.max(1, Math.ceil(0.05 * expected));
  return expect.toSatisfy((count: number) => Math.abs(count - expected) <= tolerance);
}

interface Setting {
  readonly name: string;
  readonly isCluster?: boolean;
  /** Options of the instances. */
  readonly instances: readonly Partial<ServiceOptions>[];
  readonly client: (url: string, services: readonly Service[]) => SessionClientOptions;
}

const SETTINGS: Setting[] = [
  {
    name: 'one instance inline',
    instances: [{ transport: 'inline' }],
    client: (_, [service]) => ({ transport: service!.inline }),
  },
  {
    name: 'two instances over channels',
    instances: [
      { transport: 'channels', sessionglob: '[a-m]*' },
      { transport: 'channels', sessionglob: '[^a-m]*' },
    ],
    client: (redis) => ({ redis }),
  },
  {
    name: 'three instances over streams',
    instances: [{ transport: 'streams' }, { transport: 'streams' }, { transport: 'streams' }],
    client: (redis) => ({ redis, transport: 'streams', secret: SECRET }),
  },
  {
    name: 'two instances over streams in a Cluster',
    isCluster: true,
    instances: [{ transport: 'streams' }, { transport: 'streams' }],
    client: (redis) => ({ redis, transport: 'streams', secret: SECRET }),
  },
];

describe.each(SETTINGS)('counts of the site by $name', ({ isCluster, instances, client: clientOf }) => {
  const cluster = isCluster ? useCluster() : undefined;

  it('are those of a plain model, over an hour and a half', { timeout: 240_000 }, async () => {
    const { url } = cluster ?? server;
    let now = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS + 17_000;
    const clock = () => now;
    const services = await Promise.all(
      instances.map((options) => start({ redis: url, clock, acceptTimes: true, ...options })),
    );
    const client = await openClient(clientOf(url, services));
    const site = await openSite(url, { clock });
    const random = new SeededRandom(11);
    const subjects = Array.from({ length: 400 }, (_, i) => (i % 5 === 0 ? personOf(`p${i}`) : `v${i}-visitor`));
    const model = new SiteModel();
    // What happens in a minute is sent at once, but for what one visitor does.
    const sendAll = async (events: readonly { subject: string; page: string | undefined }[]): Promise<void> => {
      const left = new Map<string, (string | undefined)[]>();
      for (const { subject, page } of events) left.set(subject, [...(left.get(subject) ?? []), page]);
      await Promise.all(
        [...left].map(async ([subject, pages]) => {
          for (const page of pages) {
            const answer =
              page === undefined
                ? await client.request('active', subject, '')
                : await client.request('pageview', subject, page);
            expect(answer).toBeDefined();
          }
        }),
      );
    };
    let minute: { at: number; subject: string; page: string | undefined }[] = [];
    for (const event of siteEvents(random, { from: now, count: 2_400, stepMs: 2_250, subjects, pages: PAGES })) {
      if (Math.floor(event.at / MINUTE_MS) !== Math.floor(now / MINUTE_MS)) {
        await sendAll(minute);
        minute = [];
      }
      now = event.at;
      minute.push(event);
      model.note(event);
    }
    await sendAll(minute);
    await Promise.all(services.map((service) => service.stop()));
    const told = await site.read();
    expect(told.minute).toBe(Math.floor(now / MINUTE_MS) * MINUTE_MS);
    expect(told.views).toEqual(model.views(now));
    expect(told.views.filter((views) => views > 0).length).toBeGreaterThan(55);
    for (const [time, minutes] of [
      [told.last5, 5],
      [told.last30, 30],
    ] as const) {
      const exact = model.time(now, minutes, isPerson);
      expect(exact.fresh).toBeGreaterThan(0);
      expect(exact.back).toBeGreaterThan(0);
      expect(exact.persons).toBeGreaterThan(0);
      const { visitors, persons } = exact;
      expect(time).toEqual({ ...exact, robots: 0, visitors: about(visitors), persons: about(persons) });
    }
    expect(namesOf(told.pages)).toEqual(model.names(now, NAMES));
  });
});

describe('counts of the site', () => {
  it('are those of all that an instance had written before it was killed, and of those that went on', async () => {
    const more = ['--transport', 'streams'];
    const [one, other] = await Promise.all([1, 2].map(() => startServiceProcess(server.url, SECRET, ...more)));
    onTestFinished(async () => void (await Promise.all([one!.kill('SIGKILL'), other!.stop()])));
    const client = await openClient({ redis: server.url, transport: 'streams', secret: SECRET });
    const site = await openSite();
    const send = (prefix: string) =>
      Promise.all(Array.from({ length: 200 }, (_, i) => client.request('pageview', `${prefix}${i}`, '/a')));
    await send('before');
    await waitUntil('all are told', async () => (await site.read()).last30.views === 200, DEADLINE_MS);
    await one!.kill('SIGKILL');
    expect((await send('after')).every((answer) => answer !== undefined)).toBe(true);
    await waitUntil('the others are told', async () => (await site.read()).last30.views >= 400, DEADLINE_MS);
    // What is asked in one turn behind the takeover may have been served by none of both twice.
    expect((await site.read()).last30).toMatchObject({ views: 400, fresh: 400, visitors: about(400) });
  }, 120_000);

  it('that an instance has noted are written when it ends', async () => {
    const service = await start();
    const client = await openClient({ transport: service.inline });
    for (let i = 0; i < 7; i += 1) await client.request('pageview', 'ada', '/a');
    client.countRobot();
    await client.close();
    await service.stop();
    expect((await (await openSite()).read()).last5).toEqual({
      ...{ visitors: 1, persons: 0, views: 7, fresh: 1, back: 0, robots: 1 },
    });
  });

  it('count a view once that names itself, and nothing that is refused', async () => {
    const service = await start();
    const client = await openClient({ transport: service.inline });
    for (const _ of [1, 2, 3]) await client.request('pageview', 'ada', { path: '/a', once: 'x' });
    await client.request('active', 'nobody', '');
    await client.request('pageview', 'eve', { path: '/a', at: -1 });
    await service.stop();
    expect((await (await openSite()).read()).last5).toMatchObject({ visitors: 1, views: 1, fresh: 1 });
  });

  it('cost Redis commands by the second and by 1,000 visitors, and not by the view', { timeout: 120_000 }, async () => {
    const proxy = await startRedisProxy(server.socketPath);
    onTestFinished(() => proxy.close());
    const service = await start({ redis: proxy.url });
    const client = await openClient({ transport: service.inline });
    const written = () => proxy.commands('sessionwise-service').filter((words) => words.some(isOfSite));
    const site = await openSite();
    const send = async (views: number, visitors: number): Promise<{ commands: number; seconds: number }> => {
      proxy.reset();
      const before = (await site.read()).last30.views;
      const startedAt = performance.now();
      for (let from = 0; from < views; from += 500) {
        const part = Array.from({ length: Math.min(500, views - from) }, (_, i) => `v${(from + i) % visitors}`);
        await Promise.all(part.map((visitor) => client.request('pageview', visitor, '/tv/1')));
      }
      await waitUntil('they are told', async () => (await site.read()).last30.views === before + views, DEADLINE_MS);
      const seconds = Math.ceil((performance.now() - startedAt) / SITE_INTERVAL_MS);
      return { commands: written().length, seconds };
    };
    // The scripts and the names.
    await send(1, 1);
    const few = await send(100, 50);
    const many = await send(10_000, 2_500);
    // In a second, of one minute or of two, with 2,500 visitors in three commands.
    expect(few.commands).toBeLessThanOrEqual(2 * (few.seconds + 1));
    expect(many.commands).toBeLessThanOrEqual(2 * (many.seconds + 1) + 2 * 3);
    expect(many.commands).toBeLessThan(10_000 / 100);
  });

  it('cost nothing while nothing happens', async () => {
    const proxy = await startRedisProxy(server.socketPath);
    onTestFinished(() => proxy.close());
    await start({ redis: proxy.url });
    // It is looked at each half second.
    const looks = () => proxy.commands('sessionwise-service').filter((words) => words.includes('sw:meta'));
    await waitUntil('seconds have passed', () => looks().length >= (4 * SITE_INTERVAL_MS) / 500, DEADLINE_MS);
    expect(proxy.commands().filter((words) => words.some(isOfSite))).toEqual([]);
  });

  it('are three keys a minute and one of names, which all expire', async () => {
    let now = Date.now();
    const service = await start({ clock: () => now });
    const client = await openClient({ transport: service.inline });
    for (let minute = 0; minute < 3; minute += 1) {
      for (let i = 0; i < 50; i += 1) await client.request('pageview', `v${i}`, `/tv/${i}`);
      await client.request('pageview', personOf('ada'), '/tv/1');
      now += MINUTE_MS;
    }
    await service.stop();
    const keys = await server.redis.command<string[]>('KEYS', '*:@site:*');
    expect(keys).toHaveLength(3 * 3 + 1);
    for (const key of keys) {
      const left = await server.redis.command<number>('PTTL', key);
      expect(left).toBeGreaterThan(30 * MINUTE_MS);
      expect(left).toBeLessThanOrEqual((/:[sp]$/.test(key) ? 35 : 65) * MINUTE_MS);
    }
  });

  it('name in Redis neither pages nor clusters nor visitors, and tell names only to those who have the secret', async () => {
    const service = await start();
    const client = await openClient({ transport: service.inline });
    for (const page of PAGES) await client.request('pageview', 'ada-visitor', page);
    await client.request('pageview', personOf('ada'), '/radio');
    await service.stop();
    const keys = await server.redis.command<string[]>('KEYS', '*:@site:*');
    const values = await Promise.all(
      keys.map((key) =>
        /:[sp]$/.test(key) ? server.redis.command('GET', key) : server.redis.command<unknown>('HGETALL', key),
      ),
    );
    const all = JSON.stringify([keys, values]);
    expect(all).toMatch(/c\d{10}/);
    for (const name of ['tele', 'things', 'radio', 'tv', 'imprint', 'secret', 'ada', personOf('ada')]) {
      expect(all).not.toContain(name);
    }
    const site = await openSite();
    expect(namesOf((await site.read()).pages)).toEqual({
      ...{ 'cluster all things': 6, 'cluster televisions': 2, 'page /radio': 2, 'page /tv/1': 1 },
    });
    // Another secret is no key of this namespace.
    await server.redis.command('DEL', 'sw:meta');
    const stranger = await openSite(server.url, { secret: 'another secret, just as long' });
    expect((await stranger.read()).pages).toEqual([]);
  });

  it('tell names of clusters that are configured later, and names that Redis has lost', async () => {
    const service = await start({ clusters: {} });
    const client = await openClient({ transport: service.inline });
    const site = await openSite();
    const names = async () => Object.keys(namesOf((await site.read()).pages)).sort();
    await client.request('pageview', 'ada', '/tv/1');
    await waitUntil('the page is told', async () => (await names()).length === 1, DEADLINE_MS);
    service.setRules({ clusters: { sets: ['/tv/*'] } });
    await client.request('pageview', 'ada', '/tv/1');
    await waitUntil('the cluster is told', async () => (await names()).length === 2, DEADLINE_MS);
    expect(await names()).toEqual(['cluster sets', 'page /tv/1']);
    await server.redis.command('DEL', (await server.redis.command<string[]>('KEYS', '*@site:names'))[0]!);
    expect(await names()).toEqual([]);
    await client.request('pageview', 'ada', '/tv/1');
    await waitUntil('both are told again', async () => (await names()).length === 2, DEADLINE_MS);
  });

  it('that Redis does not take are lost, and said so once; the next ones count', async () => {
    const log = new RecordingLog();
    const service = await start({ log });
    const client = await openClient({ transport: service.inline });
    const site = await openSite();
    const view = () => client.request('pageview', 'ada', '/radio');
    await view();
    await waitUntil('it is told', async () => (await site.read()).last5.views === 1, DEADLINE_MS);
    const minutes = [0, 1].map((ahead) => new Keys('sw').siteMinute(site.thisMinute() + ahead));
    for (const key of minutes) await server.redis.command('SET', key, 'of another type');
    expect(await view()).toMatchObject({ totalPages: 2 });
    const said = () => log.with('Counts of the site could not be written');
    await waitUntil('it is said', () => said().length === 1, DEADLINE_MS);
    await server.redis.command('DEL', ...minutes);
    await view();
    await waitUntil('the next one is told', async () => (await site.read()).last5.views === 1, DEADLINE_MS);
    expect(said()).toHaveLength(1);
  });

  it('of thousands of visitors are estimates', { timeout: 120_000 }, async () => {
    const service = await start();
    const client = await openClient({ transport: service.inline });
    for (let from = 0; from < 6_000; from += 500) {
      const part = Array.from({ length: 500 }, (_, i) => from + i);
      await Promise.all(
        part.map((i) => client.request('pageview', i % 3 === 0 ? personOf(`p${i}`) : `v${i}`, '/imprint')),
      );
    }
    await service.stop();
    const { last5 } = await (await openSite()).read();
    expect(last5).toMatchObject({ views: 6_000, fresh: 6_000, visitors: about(6_000), persons: about(2_000) });
  });

  it('have robots that serving processes told, which are a metric too', async () => {
    const service = await start({ transport: 'channels' });
    const client = await openClient({ redis: server.url });
    expect(await client.request('robots', 'process-1', { refused: 40 })).toEqual({ refused: 40 });
    expect(await client.request('robots', 'process-2', { refused: 2 })).toEqual({ refused: 2 });
    const site = await openSite();
    await waitUntil('they are told', async () => (await site.read()).last5.robots === 42, DEADLINE_MS);
    expect((await site.read()).last5).toEqual({ visitors: 0, persons: 0, views: 0, fresh: 0, back: 0, robots: 42 });
    expect(await metricOf(service.metrics.robotRequests)).toBe(42);
  });
});

function isOfSite(word: string): boolean {
  return word.includes(':@site:');
}
