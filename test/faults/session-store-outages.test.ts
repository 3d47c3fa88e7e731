import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type Answer, loggedIn, openSite, type Site, Visitor, watchForCrashes } from './session-store-stage.ts';

/* Redis is away while 32 connections read, write, log in and log out. Nothing waits for the store longer than the
 * deadline; no answer replaces a cookie; and who was logged in is so afterwards. The users log in, and are looked at
 * afterwards, at a second site on the same data, whose deadline no busy machine can miss.
 *
 * What is measured is how long the store kept express-session waiting; how long 32 connections queue for the processor
 * is not the store's. Nor can a timer fire while this process does not get it: the event loop's own delay is granted on
 * top. */

const CONNECTIONS = 32;
const USERS = 24;
const DEADLINE_MS = 200;
const SLACK_MS = 300;

const server = useRedis({ persistence: true, eachTest: 'kept' });
let proxy: RedisProxy;

beforeAll(async () => {
  proxy = await startRedisProxy(server.socketPath);
});
afterAll(async () => {
  await proxy?.close();
});

interface Outage {
  readonly name: string;
  /** So many answers at least to those who were there before, and to new ones. */
  readonly answers: number;
  /** How Redis is reached. */
  url(): string;
  /** Begins it; the returned function ends it. */
  begin(): Promise<() => Promise<void> | void>;
}

const outages: Outage[] = [
  {
    name: 'frozen',
    answers: 600,
    url: () => server.url,
    async begin() {
      server.kill('SIGSTOP');
      return () => server.kill('SIGCONT');
    },
  },
  {
    name: 'killed and restarted',
    answers: 600,
    url: () => server.url,
    async begin() {
      server.kill('SIGKILL');
      return () => server.restart();
    },
  },
  {
    name: 'behind a wire that says nothing',
    // After six seconds the store would give the connection up, and the next one comes through.
    answers: 200,
    url: () => proxy.url,
    async begin() {
      return proxy.hold('sessionwise-store');
    },
  },
];

describe.each(['closed', 'open'] as const)('a session store with fail: %s, while Redis is', (fail) => {
  it.each(outages)('$name', { timeout: 60_000 }, async (outage) => {
    const crashes = watchForCrashes();
    const namespace = `${fail}-${outages.indexOf(outage)}`;
    const options = { redis: outage.url(), namespace, fail, sweep: false };
    const calm = await openSite({ ...options, deadlineMs: 20_000 });
    onTestFinished(() => calm.close());
    const users = await Promise.all(
      Array.from({ length: USERS }, async (_, i) => ({
        name: `user-${i}`,
        visitor: await loggedIn(calm, `user-${i}`),
      })),
    );
    const before = users.map(({ visitor }) => visitor.cookie);
    // With a cookie in each answer, but for those that must have none.
    const rolling = { rolling: true, cookie: { maxAge: 600_000 } };
    const site = await openSite({ ...options, deadlineMs: DEADLINE_MS }, rolling);
    onTestFinished(() => site.close());
    for (const { visitor } of users) visitor.goTo(site);
    await waitUntil('the store is up', () => site.store.data.isUp);

    // The first half of the users ask during the outage, the others do not. The rest are new.
    const asking = users.slice(0, USERS / 2).map(({ visitor }) => visitor);
    const end = await outage.begin();
    const loopDelay = monitorEventLoopDelay({ resolution: 5 });
    loopDelay.enable();
    const { known, strangers } = await askAll(site, asking, outage.answers);
    loopDelay.disable();
    const told = [...site.told];
    const waits = [...site.waits];
    const lost = site.degraded.filter((operation) => operation === 'get').length;
    await end();
    expect(crashes()).toEqual([]);

    const stallMs = loopDelay.max / 1e6;
    const worstMs = Math.max(...waits);
    const figures = {
      answers: known.length + strangers.length,
      waited: waits.filter((ms) => ms >= DEADLINE_MS).length,
      worstMs: Math.round(worstMs),
      stallMs: Math.round(stallMs),
    };
    console.log(`Redis ${outage.name}, fail: ${fail}:`, JSON.stringify(figures));
    expect(waits.length).toBeGreaterThanOrEqual(known.length);
    expect(worstMs, JSON.stringify(figures)).toBeLessThan(DEADLINE_MS + SLACK_MS + stallMs);
    // Those that were under way when silence was noticed, and not one after the other.
    expect(figures.waited).toBeLessThan(figures.answers / 4);
    expect(told).toEqual(['store:down']);

    expect(known.flatMap(({ cookies }) => cookies)).toEqual([]);
    const outcomes = new Set(known.map(({ status, body }) => `${status} ${body.code ?? body.degraded}`));
    if (fail === 'closed') {
      expect([...outcomes]).toEqual(['503 STORE_UNAVAILABLE']);
    } else {
      // Reads and writes go on without a session; what must not be missed by anybody fails.
      expect([...outcomes].sort()).toEqual(['200 true', '503 STORE_UNAVAILABLE']);
      expect(known.filter(({ status, body }) => status === 200 && body.user !== undefined)).toEqual([]);
      expect(lost).toBe(known.length);
    }
    expect(strangers.filter(({ body }) => body.user !== undefined)).toEqual([]);

    const probe = users.at(-1)!.visitor;
    await waitUntil('the store is up', async () => {
      const { status, body } = await probe.get();
      return status === 200 && body.degraded === false;
    });
    expect(site.told.slice(0, 2)).toEqual(['store:down', 'store:up']);
    for (const [i, { name, visitor }] of users.entries()) {
      visitor.goTo(calm);
      const { status, body, cookies } = await visitor.get();
      expect({ status, cookies, ...body }).toEqual({
        status: 200,
        cookies: [],
        user: name,
        cart: [`first-of-${name}`],
        degraded: false,
      });
      expect(visitor.cookie).toBe(before[i]);
    }
    // What new visitors sent before silence was noticed may be done afterwards; nobody was told that it was.
    const sessions = await calm.store.length();
    expect(sessions).toBeGreaterThanOrEqual(USERS);
    expect(sessions).toBeLessThanOrEqual(USERS + CONNECTIONS);
  });
});

/** Asks on 32 connections, until there are enough answers. `known`: to who came with a cookie of before. */
async function askAll(
  site: Site,
  users: readonly Visitor[],
  least: number,
): Promise<{ known: Answer[]; strangers: Answer[] }> {
  const known: Answer[] = [];
  const strangers: Answer[] = [];
  const asks = [
    (visitor: Visitor) => visitor.get(),
    (visitor: Visitor) => visitor.post('/cart/lost'),
    (visitor: Visitor) => visitor.post('/saved-cart/lost'),
    (visitor: Visitor) => visitor.post('/login/somebody-else'),
    (visitor: Visitor) => visitor.post('/rotated-login/somebody-else'),
    (visitor: Visitor) => visitor.post('/logout'),
  ];
  const connection = async (i: number): Promise<void> => {
    const user = users[i];
    for (let turn = i; known.length < least || strangers.length < least; turn += 1) {
      const answer = await asks[turn % asks.length]!(user ?? new Visitor(site));
      (user ? known : strangers).push(answer);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => connection(i)));
  return { known, strangers };
}
