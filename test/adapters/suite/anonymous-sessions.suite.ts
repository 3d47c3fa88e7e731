import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createToken, SessionClient } from '../../../src/index.ts';
import { Keys } from '../../../src/redis/index.ts';
import { recordOf } from '../../../src/sessions/index.ts';
import { footprintOf } from '../../support/footprint.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import type { Pages, Site, SiteOptions, Visitor } from './adapter-site.ts';

const REQUESTS = 100;
/** Settings of a framework that saves sessions into which nothing was put. */
const SAVING = 'saving what is empty';
const IDLE_MS = 86_400_000;
const BRIEF_MS = 1_800_000;
/** Of a clock of Redis that this process only estimates. */
const SLACK_MS = 1_000;

const pages: Pages = {
  '': () => null,
  save: ({ save }) => save(),
  set: ({ session }) => {
    session.cart = ['lamp'];
  },
  'save-and-set': async ({ session, save }) => {
    await save();
    session.cart = ['lamp'];
  },
  identify: ({ session }) => session.identify('ada'),
  'save-and-identify': async ({ session, save }) => {
    await save();
    await session.identify('ada');
  },
  rotate: ({ session }) => session.rotate(),
  regenerate: async (context) => {
    await context.regenerate();
    context.session.fresh = true;
  },
};

/** Sessions that nobody needs leave nothing, and those that nobody comes back to leave it soon. */
export function testAnonymousSessions(stage: AdapterStage): void {
  let client: SessionClient;

  beforeAll(() => {
    client = new SessionClient({ redis: stage.server.url });
  });
  afterAll(() => client?.close());
  beforeEach(() => stage.redis.command('FLUSHALL'));

  const open = (options: Partial<SiteOptions> = {}, store: object = {}): Promise<Site> =>
    stage.open({ pages, client, ...options, store });
  /** How long a visitor's session may rest from now, in milliseconds. */
  const restOf = async ({ store }: Site, { token }: Visitor): Promise<number> => {
    const loaded = recordOf((await store.data.load(token))!);
    return loaded.header.expiresAt - store.data.now(loaded.session);
  };
  const settings = stage.adapter.anonymous;

  describe.each(settings)('a request with a bearer token and no cookie: %s', (_, own) => {
    it.each<[string, Partial<SiteOptions>]>([
      ['that the store knows', {}],
      ['that the store does not know', {}],
      ['of an API', { handle: { token: ({ headers }) => headers.authorization } }],
    ])('leaves no record, no cookie and no byte: one %s', async (which, more) => {
      const site = await open({ settings: own, ...more });
      const token = createToken();
      if (which === 'that the store knows') await site.store.data.save(token, { user: 'ada' });
      const before = await footprintOf(stage.redis);
      const headers = { authorization: `Bearer ${token}` };
      let cookies = 0;
      for (let sent = 0; sent < REQUESTS; sent += 20) {
        const twenty = Array.from({ length: 20 }, (_unused, i) =>
          stage.visitor(site).get(i % 2 ? '/' : '/save', headers),
        );
        for (const { status, setCookies } of await Promise.all(twenty)) {
          expect(status).toBe(200);
          cookies += setCookies.length;
        }
      }
      expect({ cookies, ...(await footprintOf(stage.redis)) }).toEqual({ cookies: 0, ...before });
    });

    it('gets a session where the page asks for one', async () => {
      const site = await open({ settings: own });
      for (const path of ['set', 'save-and-set', 'identify', 'save-and-identify', 'rotate', 'regenerate']) {
        const visitor = stage.visitor(site);
        const { setCookies } = await visitor.get(`/${path}`, { authorization: `Bearer ${createToken()}` });
        expect([path, setCookies.length]).toEqual([path, 1]);
        expect(await site.store.data.load(visitor.token)).toBeDefined();
      }
    });
  });

  it('1,000 requests of visitors who keep no cookie leave no record of a session', async () => {
    // An empty session is no reason for one: neither our middleware nor a visitor’s cookie makes it so.
    const [, own] = settings.find(([name]) => name !== SAVING) ?? settings[0]!;
    const site = await open({ settings: own });
    for (let sent = 0; sent < 1_000; sent += 50) {
      const fifty = Array.from({ length: 50 }, () => stage.visitor(site).get('/'));
      for (const { status, setCookies, visitorCookies } of await Promise.all(fifty)) {
        expect([status, setCookies.length, visitorCookies.length]).toEqual([200, 0, 1]);
      }
    }
    expect(await site.store.data.sessions()).toEqual([]);
    expect(await stage.redis.command('KEYS', '*')).toEqual([]);
  });

  describe.each(settings.filter(([name]) => name === SAVING))('an anonymous session: %s', (_, own) => {
    it.each(['/', '/save'])(
      'rests for minutes until its second request, and then for its idle time (%s)',
      async (path) => {
        const site = await open({ settings: own }, { idleMs: IDLE_MS });
        const visitor = stage.visitor(site);
        const first = await visitor.get(path);
        expect(first.setCookies).toHaveLength(1);
        expect(await restOf(site, visitor)).toBeLessThanOrEqual(BRIEF_MS * 1.1 + SLACK_MS);
        await visitor.page('/');
        await expect.poll(() => restOf(site, visitor), { timeout: 20_000 }).toBeGreaterThan(BRIEF_MS * 1.2);
      },
    );

    it.each(['/set', '/identify', '/save-and-set'])('is none once it holds something: %s at first', async (path) => {
      const site = await open({ settings: own }, { idleMs: IDLE_MS });
      const visitor = stage.visitor(site);
      await visitor.page('/');
      const other = stage.visitor(site);
      await other.page(path);
      await visitor.page('/');
      await expect.poll(() => restOf(site, visitor), { timeout: 20_000 }).toBeGreaterThan(BRIEF_MS * 1.2);
      // Whatever its cookie says, as long as that of a session that came twice.
      expect(await restOf(site, other)).toBeGreaterThan((await restOf(site, visitor)) * 0.9);
    });

    it('of visitors who keep no cookie is found by the sweeper', async () => {
      const site = await open({ settings: own });
      for (let sent = 0; sent < REQUESTS; sent += 20) {
        await Promise.all(Array.from({ length: 20 }, () => stage.visitor(site).page('/')));
      }
      const soon = String(site.store.data.now() + BRIEF_MS * 1.1 + SLACK_MS);
      const due = await Promise.all(
        Array.from({ length: 64 }, (_unused, i) =>
          stage.redis.command<number>('ZCOUNT', new Keys('sw').due(i), '-inf', soon),
        ),
      );
      expect(due.reduce((sum, count) => sum + count, 0)).toBe(REQUESTS);
    });

    it('rests for anonymousIdleMs, never longer than the idle time, and is over after it', async () => {
      for (const [given, most] of [
        [{ anonymousIdleMs: 60_000 }, 66_000 + SLACK_MS],
        [{ idleMs: 5_000 }, 5_500 + SLACK_MS],
      ] as const) {
        const site = await open({ settings: own }, given);
        const visitor = stage.visitor(site);
        await visitor.page('/');
        expect(await restOf(site, visitor)).toBeLessThanOrEqual(most);
      }
      const site = await open({ settings: own }, { anonymousIdleMs: 50 });
      const visitor = stage.visitor(site);
      await visitor.page('/');
      const { cookie, token } = visitor;
      await expect.poll(() => site.store.data.load(token), { timeout: 20_000 }).toBeUndefined();
      await visitor.page('/');
      expect(visitor.cookie).not.toBe(cookie);
    });
  });
}
