import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { footprintOf } from '../support/footprint.ts';
import { type UsedRedis, useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { EXPRESS } from './express/express-under-test.ts';
import { FASTIFY } from './fastify/fastify-under-test.ts';
import { type Page, USER_AGENT } from './suite/adapter-site.ts';

/* Robots and probes leave nothing of themselves in Redis: no key and no byte, of 100,000 requests. How many they were is one
 * number a minute, written once a second: so it has the same size for one request as for 100,000.
 *
 * Names are those that their operators document (developers.google.com/search/docs/crawling-indexing, bing.com/webmasters,
 * yandex.com/support/webmaster, platform.openai.com/docs/bots, developers.facebook.com/docs/sharing/webmasters, and so on),
 * and those of probes and tools as they send them. */

const ROBOTS = [
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'AdsBot-Google (+http://www.google.com/adsbot.html)',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/130.0.0.0 Safari/537.36',
  'DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)',
  'Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)',
  'Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
  'CCBot/2.0 (https://commoncrawl.org/faq/)',
  'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
  'Twitterbot/1.0',
  'LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)',
  'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
  'Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)',
  'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)',
  'Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)',
  'Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/130.0.0.0 Safari/537.36',
];
const PROBES = [
  'kube-probe/1.31',
  'ELB-HealthChecker/2.0',
  'GoogleHC/1.0',
  'Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)',
  'Blackbox Exporter/0.25.0',
  'curl/8.11.0',
  'Wget/1.24.5',
  'python-requests/2.32.3',
  'Go-http-client/2.0',
  'okhttp/4.12.0',
  'Apache-HttpClient/4.5.14 (Java/17.0.9)',
  undefined,
];
const REQUESTS = process.env.SESSIONWISE_SOAK_SECONDS === undefined ? 2_000 : 100_000;
const SIDE_BY_SIDE = 32;

const ask: Page = async ({ handle }) => {
  const [visit, fresh] = await Promise.all([handle?.visit(), handle?.unseen(['/a', '/b'])]);
  return { visit: visit ?? null, fresh: fresh ?? null };
};

/** A request that is no visit. */
interface Probe {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
}

/** Robots and probes that ask for a page, as they do; and what comes from a browser and is no page of a visitor. */
function probeOf(i: number): Probe {
  const names = [...ROBOTS, ...PROBES];
  const userAgent = names[i % names.length];
  const named: Record<string, string> = userAgent === undefined ? {} : { 'user-agent': userAgent };
  const browser = { 'user-agent': USER_AGENT };
  switch (Math.floor(i / names.length) % 8) {
    case 0:
      return { method: 'GET', path: `/page?${i}`, headers: named };
    case 1:
      return { method: 'HEAD', path: '/page', headers: named };
    case 2:
      return { method: 'GET', path: '/missing', headers: named };
    case 3:
      // A cookie that a robot has kept.
      return { method: 'GET', path: '/page', headers: { ...named, cookie: `sessionwise=${'r'.repeat(32)}.20000` } };
    case 4:
      return { method: 'HEAD', path: '/page', headers: browser };
    case 5:
      return { method: 'GET', path: '/missing', headers: { ...browser, 'sec-fetch-dest': 'document' } };
    case 6:
      return { method: 'GET', path: '/page', headers: { ...browser, 'sec-fetch-dest': 'image' } };
    default:
      return {
        method: 'GET',
        path: '/page',
        headers: { ...browser, 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch' },
      };
  }
}

/** A robot or a probe that says so: it is counted. The others come from a browser. */
function isNamed(i: number): boolean {
  return Math.floor(i / (ROBOTS.length + PROBES.length)) % 8 < 4;
}

/** The footprint with the lease of merges, which a service holds for as long as it runs, and without the numbers of
 *  requests. */
async function footprintWithLease({ redis }: UsedRedis): Promise<Awaited<ReturnType<typeof footprintOf>>> {
  const isHeld = async (): Promise<boolean> => (await redis.command('EXISTS', 'sw:@lease:merge')) === 1;
  await waitUntil('the service has its lease', isHeld);
  return footprintOf(redis, (key) => !key.includes(':@site:'));
}

/** What was written of the number of requests: a hash a minute, of one field. */
async function numbersOf({ redis }: UsedRedis): Promise<{ readonly robots: number; readonly bytes: number }[]> {
  const keys = await redis.command<string[]>('KEYS', '*:@site:*');
  return Promise.all(
    keys.map(async (key) => {
      const fields = await redis.command<Record<string, string>>('HGETALL', key);
      expect(Object.keys(fields)).toEqual(['r']);
      return { robots: Number(fields.r), bytes: await redis.command<number>('MEMORY', 'USAGE', key) };
    }),
  );
}

describe.each([EXPRESS, FASTIFY])('robots and probes at a site of $name', (adapter) => {
  const server = useRedis({ eachTest: 'kept' });
  let service: Service;
  let client: SessionClient;

  beforeAll(async () => {
    // A sweep of sessions has a lease, which comes and goes.
    const sessions = { sweep: false };
    service = await startService({ redis: server.url, secret: 'a secret of the tests, long enough', sessions });
    client = new SessionClient({ redis: server.url, deadlineMs: 20_000 });
    expect(await client.ready()).toBe(true);
  });
  afterAll(async () => {
    await client?.close();
    await service?.stop();
  });

  it('leave no key and no byte but their number', { timeout: 900_000 }, async () => {
    // What a framework saves of sessions that are empty is the site's decision.
    const settings = { ...(adapter.settings[0]![1] as object), saveUninitialized: false };
    const missing: Page = async (context) => {
      context.status(404);
      return ask(context);
    };
    const site = await adapter.open({ store: { redis: server.url }, settings, pages: { page: ask, missing }, client });
    const agent = new Agent({ keepAlive: true, maxSockets: SIDE_BY_SIDE });
    onTestFinished(async () => {
      agent.destroy();
      await site.close();
    });
    const { port } = new URL(site.url);
    const statuses = new Map<number, number>();
    let cookies = 0;
    const send = async ({ method, path, headers }: Probe): Promise<void> => {
      const sent = httpRequest({ port, host: '127.0.0.1', method, path, headers, agent }).end();
      const [response] = await once(sent, 'response', { signal: AbortSignal.timeout(60_000) });
      for await (const _ of response);
      statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1);
      for (const cookie of response.headers['set-cookie'] ?? []) if (!/^sessionwise=;/.test(cookie)) cookies += 1;
    };
    // Keys of the service itself are there by now.
    for (let i = 0; i < 300; i += 1) await send(probeOf(i));
    const before = await footprintWithLease(server);
    let next = 300;
    const work = async (): Promise<void> => {
      while (next < REQUESTS) await send(probeOf(next++));
    };
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const after = await footprintWithLease(server);
    console.log(`${REQUESTS} requests in ${seconds} s: ${JSON.stringify({ before, after })}, cookies: ${cookies}`);
    expect(after).toEqual(before);
    // Of a robot no more than that it was one of so many.
    const named = Array.from({ length: REQUESTS }, (_, i) => i).filter(isNamed).length;
    const sum = async () => (await numbersOf(server)).reduce((all, { robots }) => all + robots, 0);
    await waitUntil('their number is written', async () => (await sum()) === named, 30_000);
    const numbers = await numbersOf(server);
    expect(numbers.length).toBeLessThanOrEqual(seconds / 60 + 2);
    for (const { bytes } of numbers) expect(bytes).toBeLessThan(150);
    expect([...statuses.keys()].sort()).toEqual([200, 404]);
    // And one visitor does leave something.
    await send({
      method: 'GET',
      path: '/page',
      headers: {
        'user-agent': USER_AGENT,
        'sec-fetch-dest': 'document',
        cookie: `sessionwise=${'v'.repeat(32)}.20000`,
      },
    });
    await client.request('combo', 'any', '');
    expect((await footprintWithLease(server)).keys).toBe(before.keys + 1);
  });
});
