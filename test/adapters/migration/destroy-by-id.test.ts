import type session from 'express-session';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SessionStore as ExpressStore } from '../../../src/adapters/express/index.ts';
import { SessionStore as FastifyStore } from '../../../src/adapters/fastify/index.ts';
import { sessionOf } from '../../../src/protocol/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { MovingBrowser, openExpress, openFastify, type ShopProcess } from './migration-site.ts';

/* The usual loop of a site that logs all visitors out: `destroy` of each id that the store lists. With connect-redis these
 * ids are tokens; ours are public ids, and end the sessions all the same. */

const server = useRedis();

type Destroys = Pick<FastifyStore, 'destroy' | 'data' | 'close' | 'genid'>;
type GenId = (() => string) | undefined;

const SIDES: readonly [string, (genid: GenId, options?: object) => Promise<[ShopProcess, Destroys]>][] = [
  [
    'Express',
    async (genid, options) => {
      const store = new ExpressStore({ redis: server.url, deadlineMs: 20_000, ...options });
      return [await openExpress(store as unknown as session.Store, genid ?? store.genid), store];
    },
  ],
  [
    'Fastify',
    async (genid, options) => {
      const store = new FastifyStore({ redis: server.url, deadlineMs: 20_000, ...options });
      return [await openFastify(store, genid ?? store.genid), store];
    },
  ],
];

/** How ids are made: a site that comes from another store keeps its own function. One of them makes ids that look like public
 *  ones. */
const GENIDS: readonly [string, GenId][] = [
  ['ours', undefined],
  ['a UUID', () => crypto.randomUUID()],
  ['25 of [0-9a-z]', () => `c${crypto.randomUUID().replaceAll('-', '').slice(0, 24)}`],
];

describe.each(SIDES)('%s: destroy(id) of a listed id', (_, openSide) => {
  async function open(genid: GenId, options?: object): Promise<[ShopProcess, Destroys]> {
    const [site, store] = await openSide(genid, options);
    onTestFinished(async () => {
      await site.close();
      await store.close();
    });
    return [site, store];
  }

  it.each(GENIDS)('ends that session and no other, wherever it is called; ids are %s', async (_, genid) => {
    const [site, store] = await open(genid);
    const [, elsewhere] = await open(genid);
    const idOf = async (browser: MovingBrowser, name: string): Promise<string> => {
      const before = await store.data.sessions();
      await browser.get(site, `/login/${name}`);
      return (await store.data.sessions()).find((id) => !before.includes(id))!;
    };
    const ends: [string, (id: string) => Promise<unknown>][] = [
      ['by promise', (id) => store.destroy(id)],
      ['by callback', (id) => new Promise((resolve) => store.destroy(id, resolve as never))],
      ['in another process', (id) => elsewhere.destroy(id)],
    ];
    for (const [name, end] of ends) {
      const [browser, bystander] = [new MovingBrowser(), new MovingBrowser()];
      const id = await idOf(browser, name);
      await idOf(bystander, 'bystander');
      expect(await browser.get(site, '/me')).toEqual({ user: name });
      expect((await end(id)) ?? null).toBeNull();
      expect(await browser.get(site, '/me')).toEqual({});
      expect(await bystander.get(site, '/me')).toEqual({ user: 'bystander' });
    }
  });

  it('ends a session that connect-redis has begun or reads, on both sides', async () => {
    const [site, store] = await open(undefined, { mirrorTo: 'sess:' });
    const browser = new MovingBrowser();
    await browser.get(site, '/login/ada');
    const [key] = await server.redis.command<string[]>('KEYS', 'sess:*');
    const id = sessionOf(key!.slice('sess:'.length));
    expect(await store.data.sessions()).toEqual([id]);
    await store.destroy(id);
    expect(await browser.get(site, '/me')).toEqual({});
    expect(await server.redis.command('KEYS', 'sess:*')).toEqual([]);
  });
});
