import { RedisStore } from 'connect-redis';
import type session from 'express-session';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SessionStore as ExpressStore, type SessionStoreOptions } from '../../../src/adapters/express/index.ts';
import { SessionStore as FastifyStore } from '../../../src/adapters/fastify/index.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { useRedis } from '../../support/use-redis.ts';
import { MovingBrowser, openExpress, openFastify, type ShopProcess } from './migration-site.ts';

/* A site that moves from connect-redis to this store and back, while visitors are logged in: with real connect-redis on the
 * other side. */

const VISITORS = 48;
/** Some 900 requests through real servers, on a machine that may be loaded. */
const LONG_MS = 120_000;

const server = useRedis({ eachTest: 'empty' });
let client: ReturnType<typeof createClient>;

beforeAll(async () => {
  client = createClient({ socket: { path: server.socketPath, tls: false } });
  await client.connect();
});
afterAll(async () => {
  await client?.close();
});

const FRAMEWORKS = {
  Express: {
    theirs: () => openExpress(new RedisStore({ client })),
    async ours(options: SessionStoreOptions): Promise<ShopProcess> {
      const store = new ExpressStore(options);
      const site = await openExpress(store as unknown as session.Store, store.genid);
      return { url: site.url, close: () => Promise.all([site.close(), store.close()]).then(() => undefined) };
    },
  },
  Fastify: {
    theirs: () => openFastify(new RedisStore({ client }) as never),
    async ours(options: SessionStoreOptions): Promise<ShopProcess> {
      const store = new FastifyStore(options);
      const site = await openFastify(store, store.genid);
      return { url: site.url, close: () => Promise.all([site.close(), store.close()]).then(() => undefined) };
    },
  },
};

describe.each(['Express', 'Fastify'] as const)('%s: a site that moves', (framework) => {
  async function open(side: 'theirs' | 'ours', options: Partial<SessionStoreOptions> = {}): Promise<ShopProcess> {
    const { theirs, ours } = FRAMEWORKS[framework];
    const site = await (side === 'theirs'
      ? theirs()
      : ours({ redis: server.url, mirrorTo: 'sess:', deadlineMs: 20_000, ...options }));
    onTestFinished(() => site.close());
    return site;
  }
  const users = Array.from({ length: VISITORS }, (_, i) => `user${i}`);

  async function login(site: ShopProcess, names: readonly string[] = users): Promise<MovingBrowser[]> {
    return Promise.all(
      names.map(async (name) => {
        const browser = new MovingBrowser();
        await browser.get(site, `/login/${name}`);
        return browser;
      }),
    );
  }
  async function knownAt(site: ShopProcess, browsers: readonly MovingBrowser[]): Promise<unknown[]> {
    const seen = await Promise.all(browsers.map((browser) => browser.get(site, '/me')));
    return seen.map((fields) => (fields as { user?: string }).user);
  }

  it(
    'there and back: 48 of 48 sessions survive, with what was put in on either side',
    async () => {
      const theirs = await open('theirs');
      const browsers = await login(theirs);
      const ours = await open('ours');
      await Promise.all(browsers.map((browser) => browser.get(ours, '/add/book')));
      expect(await knownAt(ours, browsers)).toEqual(users);
      const born = users.map((name) => `new-${name}`);
      const bornHere = await login(ours, born);
      // The way back.
      expect(await knownAt(theirs, browsers)).toEqual(users);
      expect(await knownAt(theirs, bornHere)).toEqual(born);
      const all = [...browsers, ...bornHere];
      await Promise.all(all.map((browser) => browser.get(theirs, '/add/pen')));
      // And there again.
      const carts = await Promise.all(all.map((browser) => browser.get(ours, '/me')));
      expect(carts).toEqual([
        ...users.map((user) => ({ user, cart: ['book', 'pen'] })),
        ...born.map((user) => ({ user, cart: ['pen'] })),
      ]);
    },
    LONG_MS,
  );

  it('without mirrorTo the way back loses all whom the new version met', async () => {
    const theirs = await open('theirs');
    const browsers = await login(theirs);
    const ours = await open('ours', { mirrorTo: undefined as never, importFrom: 'sess:' });
    expect(await knownAt(ours, browsers)).toEqual(users);
    expect((await knownAt(theirs, browsers)).filter(Boolean)).toEqual([]);
  });

  it(
    'rolling: 48 browsers that change the process with each request lose neither login nor a field',
    async () => {
      const processes = [await open('theirs'), await open('ours'), await open('ours', { ownConnection: true })];
      const random = new SeededRandom(48);
      const outcomes = await Promise.all(
        users.map(async (name) => {
          const browser = new MovingBrowser();
          const expected: Record<string, string> = {};
          const any = (): ShopProcess => processes[random.below(processes.length)]!;
          await browser.get(any(), `/login/${name}`);
          for (let i = 0; i < 12; i += 1) {
            expected[`f${i}`] = `v${i}`;
            const seen = await browser.get(any(), `/set/f${i}=v${i}`);
            // Each request follows the answer to the one before.
            expect(seen).toEqual({ user: name, ...expected });
          }
          return browser;
        }),
      );
      for (const site of processes) expect(await knownAt(site, outcomes)).toEqual(users);
    },
    LONG_MS,
  );

  it.each(['theirs', 'ours'] as const)('a logout is final on both sides: at %s', async (side) => {
    const sites = { theirs: await open('theirs'), ours: await open('ours') };
    const browsers = [...(await login(sites.theirs)), ...(await login(sites.ours))];
    await knownAt(sites.ours, browsers);
    const before = browsers.map(({ cookie }) => new MovingBrowser(cookie));
    const again = browsers.map(({ cookie }) => new MovingBrowser(cookie));
    await Promise.all(browsers.map((browser) => browser.get(sites[side], '/logout')));
    expect((await knownAt(sites.ours, before)).filter(Boolean)).toEqual([]);
    expect((await knownAt(sites.theirs, again)).filter(Boolean)).toEqual([]);
    expect(await client.keys('sess:*')).toEqual([]);
  });

  it.each(['theirs', 'ours'] as const)('regenerate leaves the old id nowhere: at %s', async (side) => {
    const sites = { theirs: await open('theirs'), ours: await open('ours') };
    const browsers = await login(sites.ours);
    const old = browsers.map(({ cookie }) => new MovingBrowser(cookie));
    await Promise.all(browsers.map((browser, i) => browser.get(sites[side], `/regenerate/${users[i]}`)));
    for (const site of [sites.ours, sites.theirs]) {
      expect(await knownAt(site, browsers)).toEqual(users);
      expect((await knownAt(site, old)).filter(Boolean)).toEqual([]);
    }
  });
});
