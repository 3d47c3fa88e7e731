import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RequestStore, SessionOperations, SessionwiseOptions, SharedParts } from '../../src/adapters/index.ts';
import { createToken, personOf, type SessionHandle, sessionOf } from '../../src/index.ts';
import { startService } from '../../src/service/index.ts';
import { type UsedRedis, useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { Visitor } from './suite/adapter-site.ts';

/* create-sessionwise.suite.ts: one object for a site, as each framework's `createSessionwise` makes it. */

const SECRET = 'a secret of the tests, long enough';
const LONG_MS = 20_000;
const PAGES = ['/a', '/b', '/c'];

/** A request, as all frameworks have it. */
export interface SiteRequest {
  readonly sessionwise: SessionHandle;
  readonly session: Record<string, unknown> & SessionOperations;
}

/** A page; its result is sent as JSON. */
export type SitePage = (request: SiteRequest) => unknown;

/** What `createSessionwise` makes, as far as all frameworks have it. */
export type MadeObject = SharedParts & {
  readonly store: RequestStore<never> & { get(token: string): Promise<unknown> };
};

/** A framework, and how a site of it is opened with the object. */
export interface ObjectUnderTest<Made extends MadeObject> {
  readonly name: string;
  readonly cookieName: string;
  create(options: SessionwiseOptions): Made;
  /** Mounts session and knowledge, and serves `/name` by `pages.name`. `session`: without it only knowledge is mounted, with
   *  a header `x-user` as the user. */
  open(made: Made, pages: Readonly<Record<string, SitePage>>, session?: object | false): Promise<Opened>;
}

export interface Opened {
  readonly url: string;
  close(): Promise<void>;
}

const pages: Record<string, SitePage> = {
  a: ({ sessionwise }) => sessionwise.unseen(PAGES),
  b: ({ sessionwise }) => sessionwise.unseen(PAGES),
  visit: async ({ sessionwise }) => (await sessionwise.visit()) ?? null,
  login: async (request) => {
    await request.session.rotate();
    await request.session.identify('ada');
    return request.sessionwise.id;
  },
  count: ({ session }) => session.increment('count'),
  user: ({ session }) => session.info()?.userId ?? null,
};

/** Tests a framework's object. */
export function testCreateSessionwise<Made extends MadeObject>(under: ObjectUnderTest<Made>): void {
  describe(`createSessionwise of ${under.name}`, () => {
    const server = useRedis();
    const stage = new Stage(under, server);
    describe('with a service elsewhere', () => testElsewhere(stage));
    describe('with the service in its process', () => testInline(stage));
    describe('closed', () => testClose(stage));
    describe('asked for all of a subject', () => testSubjects(stage));
    describe('given options that cannot be used', () => testOptions(stage));
  });
}

class Stage<Made extends MadeObject> {
  readonly under: ObjectUnderTest<Made>;
  readonly server: UsedRedis;

  constructor(under: ObjectUnderTest<Made>, server: UsedRedis) {
    this.under = under;
    this.server = server;
  }

  make(options: Partial<SessionwiseOptions> = {}): Made {
    const made = this.under.create({ redis: this.server.url, deadlineMs: LONG_MS, ...options });
    onTestFinished(() => made.close());
    return made;
  }

  inline(options: Partial<SessionwiseOptions> = {}): Made {
    return this.make({ service: 'inline', secret: SECRET, ...options });
  }

  async browser(made: Made, session?: object | false): Promise<Visitor> {
    const site = await this.under.open(made, pages, session);
    onTestFinished(() => site.close());
    const cookies = { name: this.under.cookieName, tokenIn: () => '', sign: () => '' };
    return new Visitor(site, cookies);
  }

  async connections(): Promise<string[]> {
    const list = await this.server.redis.command<string>('CLIENT', 'LIST');
    return Array.from(list.matchAll(/ name=(sessionwise\S*)/g), ([, name]) => name!).toSorted();
  }
}

// A page does not wait until what was known of its visitor is the person's, unless it asks something.
async function hasSeen({ person }: MadeObject, expected: readonly string[]): Promise<void> {
  await waitUntil('what the visitor has seen is the person’s', async () => {
    const seen = await person('ada').seen(PAGES);
    return JSON.stringify(seen) === JSON.stringify(expected);
  });
}

function testElsewhere<Made extends MadeObject>(stage: Stage<Made>): void {
  const begin = async (options: Partial<SessionwiseOptions> = {}): Promise<Made> => {
    const service = await startService({ redis: stage.server.url, secret: SECRET });
    onTestFinished(() => service.stop());
    const made = stage.make(options);
    expect(await made.client.ready()).toBe(true);
    return made;
  };

  it('keeps sessions and counts views, over one connection and the inbox', async () => {
    const made = await begin();
    const browser = await stage.browser(made);
    expect(await browser.page('/a')).toEqual(['/b', '/c']);
    expect(browser.cookie).toBeUndefined();
    expect(await browser.page('/b')).toEqual(['/c']);
    expect(await browser.page('/count')).toBe(1);
    expect(await browser.page('/count')).toBe(2);
    expect(await browser.page('/login')).toBe(personOf('ada'));
    expect(await browser.page('/user')).toBe('ada');
    await hasSeen(made, ['/a', '/b']);
    expect(await made.person('ada', { page: '/c' }).unseen(PAGES)).toEqual([]);
    const ofSite = (await stage.connections()).filter((name) => !/service|requests/.test(name));
    expect(ofSite).toEqual(['sessionwise-client', 'sessionwise-inbox']);
  });

  it('gives its cookie Secure over https only, SameSite, and what the site says', async () => {
    const made = await begin();
    const plain = await stage.browser(made);
    expect((await plain.get('/count')).setCookies[0]).toMatch(/; HttpOnly; SameSite=Lax$/i);
    expect((await plain.get('/count', { 'x-forwarded-proto': 'https' })).status).toBe(200);
    const secure = await stage.browser(made);
    const { setCookies } = await secure.get('/count', { 'x-forwarded-proto': 'https' });
    expect(setCookies[0]).toMatch(/; Secure/);
    const strict = await stage.browser(made, { cookie: { sameSite: 'strict', maxAge: 60_000 } });
    const given = (await strict.get('/count', { 'x-forwarded-proto': 'https' })).setCookies[0];
    expect(given).toMatch(/Expires=/);
    expect(given).toMatch(/SameSite=Strict/);
  });

  it('needs no sessions of its own: a site with others says who is logged in', async () => {
    const made = await begin();
    const browser = await stage.browser(made, false);
    expect(await browser.page('/a')).toEqual(['/b', '/c']);
    const asAda = await browser.get('/b', { 'x-user': 'ada' });
    expect(asAda.body).toEqual(['/c']);
    await hasSeen(made, ['/a', '/b']);
    expect((await stage.connections()).includes('sessionwise-store')).toBe(false);
  });

  it('takes a bearer token that its store knows, and no other', async () => {
    const made = await begin();
    const browser = await stage.browser(made);
    const token = createToken();
    await made.store.data.save(token, { cart: [] });
    await made.client.request('mark-item-seen', sessionOf(token), ['/a', '/b']);
    expect((await browser.get('/visit', { authorization: `Bearer ${token}` })).body).toMatchObject({ totalPages: 1 });
    expect((await browser.get('/visit', { authorization: 'Bearer made-up' })).body).toBeNull();
  });

  it('gives its parts what belongs to them', async () => {
    const made = await begin({
      namespace: 'other',
      deadlineMs: 70,
      client: { maxPending: 7 },
      store: { absoluteMs: 60_000 },
    });
    expect([made.client.namespace, made.client.deadlineMs, made.store.data.absoluteMs]).toEqual(['other', 70, 60_000]);
    expect(made.store).toBe(made.store);
  });
}

function testInline<Made extends MadeObject>(stage: Stage<Made>): void {
  it('answers without another process, and asks Redis for no message', async () => {
    const made = stage.inline();
    const browser = await stage.browser(made);
    expect(await made.client.ready()).toBe(true);
    expect(await browser.page('/a')).toEqual(['/b', '/c']);
    expect(await browser.page('/b')).toEqual(['/c']);
    expect(await browser.page('/login')).toBe(personOf('ada'));
    await hasSeen(made, ['/a', '/b']);
    expect(await stage.server.redis.command<string[]>('PUBSUB', 'CHANNELS', 'ss:*')).toEqual([]);
    expect((await stage.connections()).includes('sessionwise-inbox')).toBe(false);
  });

  it('takes options of the service', async () => {
    const suggestions = [{ name: 'cable', when: { seen: '/a' }, suggest: 'A cable', reason: 'Because.' }];
    const made = stage.inline({ service: { suggestions } });
    expect(await made.client.ready()).toBe(true);
    await made.client.request('pageview', 'abc', '/a');
    expect(await made.client.session('abc').suggestions()).toMatchObject([{ rule: 'cable', because: ['/a'] }]);
  });

  it('replaces the rules of its service, and keeps the old ones where the new ones cannot be used', async () => {
    const rulesOf = (name: string) => ({ suggestions: [{ name, when: { newToSite: true }, suggest: name }] as const });
    const made = stage.inline({ service: rulesOf('first') });
    // Before it runs.
    await made.setRules(rulesOf('second'));
    expect(await made.client.ready()).toBe(true);
    const page = () => made.client.session('abc').suggestions();
    expect(await page()).toMatchObject([{ rule: 'second' }]);
    await made.setRules(rulesOf('third'));
    expect(await page()).toMatchObject([{ rule: 'third' }]);
    await expect(made.setRules({ segments: { a: { view: 1 } as never } })).rejects.toThrow(
      'segments.a.view is unknown: did you mean "views"?',
    );
    expect(await page()).toMatchObject([{ rule: 'third' }]);
    await made.setRules({});
    expect(await page()).toEqual([]);
    const elsewhere = stage.make();
    await expect(elsewhere.setRules({})).rejects.toThrow(/one elsewhere reads its own file/i);
  });

  it('starts with new rules where the first ones could not be used', async () => {
    const made = stage.inline({ service: { suggestions: [{ name: 'first' }] as never } });
    const whyDown = await new Promise<Error>((resolve) => made.client.once('down', resolve));
    expect(whyDown.message).toMatch(/^suggestions\[0\]\.when/);
    await made.setRules({ suggestions: [{ name: 'second', when: { newToSite: true }, suggest: 'x' }] });
    expect(await made.client.ready()).toBe(true);
    expect(await made.client.session('abc').suggestions()).toMatchObject([{ rule: 'second' }]);
  });

  it('fails and delays no page before it runs, and serves when it does', async () => {
    stage.server.kill('SIGKILL');
    const downs: Error[] = [];
    const made = stage.inline({ store: { fail: 'open', deadlineMs: 50 } });
    made.client.on('down', (error) => downs.push(error));
    const browser = await stage.browser(made);
    for (const path of ['/a', '/b']) expect((await browser.get(path)).status).toBe(200);
    expect((await browser.get('/visit')).body).toBeNull();
    // At once, whatever the deadline is, which is 20 seconds here.
    expect(made.client.counters.degraded).toEqual({ 'nobody-listens': 3 });
    await expect(made.client.publish('mark-item-seen', 'abc', '')).rejects.toMatchObject({ code: 'BAD_PAYLOAD' });
    const kept = made.client.publish('mark-item-seen', 'abc', 'lamp').catch((error: unknown) => error);
    expect(await kept).toMatchObject({ code: 'NOT_KEPT' });
    await waitUntil('the failed start is told', () => downs.length > 0);
    expect(downs[0]).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    await stage.server.restart();
    expect(await made.client.ready(LONG_MS)).toBe(true);
    expect(await browser.page('/a')).toEqual(['/b', '/c']);
  });

  it('says so when its secret is not that of the namespace, and goes on without answers', async () => {
    const first = stage.inline();
    expect(await first.client.ready()).toBe(true);
    const logged: unknown[] = [];
    const error = (fields: object): void => void logged.push((fields as { err: { code: string } }).err.code);
    const log = { debug() {}, info() {}, warn() {}, error };
    const other = stage.inline({ secret: 'another secret of the tests', service: { log } });
    const downs: Error[] = [];
    other.client.on('down', (reason) => downs.push(reason));
    await waitUntil('it is told', () => downs.length > 0);
    expect(downs[0]).toMatchObject({ code: 'WRONG_KEY' });
    expect(logged[0]).toBe('WRONG_KEY');
    expect(await other.client.ready(1)).toBe(false);
    expect((await (await stage.browser(other)).get('/visit')).body).toBeNull();
  });

  it('of several processes serves one namespace: each its own pages, and nothing counts twice', async () => {
    const all = [stage.inline(), stage.inline(), stage.inline()];
    for (const { client } of all) expect(await client.ready()).toBe(true);
    const session = sessionOf(createToken());
    const views = 60;
    await Promise.all(
      Array.from({ length: views }, (_, i) =>
        all[i % all.length]!.client.request('pageview', session, `/page-${i % 10}`),
      ),
    );
    for (const { client } of all) {
      expect(await client.session(session).figures()).toMatchObject({ totalPages: views, uniquePages: 10 });
    }
    // What one merges into a person, the others know.
    await all[0]!.client.request('identify', personOf('ada'), session);
    for (const made of all) expect(await made.person('ada').figures()).toMatchObject({ totalPages: views });
    // Their common work (ending sessions, merging) is done by one at a time.
    const { redis } = stage.server;
    await waitUntil('one has the lease', async () => (await redis.command<number>('EXISTS', 'sw:@lease:merge')) === 1);
    await all[0]!.close();
    await all[1]!.close();
    expect(await all[2]!.person('ada').figures()).toMatchObject({ totalPages: views });
    const holder = async (): Promise<string | null> => redis.command('GET', 'sw:@lease:merge');
    await waitUntil('the one that is left has it', async () => (await holder()) !== null);
    await all[2]!.close();
    await waitUntil('nobody has it', async () => (await holder()) === null);
  });

  it('serves beside a service of its own process’s kind and one elsewhere', async () => {
    const service = await startService({ redis: stage.server.url, secret: SECRET });
    onTestFinished(() => service.stop());
    const [inline, elsewhere] = [stage.inline(), stage.make()];
    const overlap = vi.fn();
    elsewhere.client.on('overlap', overlap);
    for (const { client } of [inline, elsewhere]) expect(await client.ready()).toBe(true);
    await inline.client.request('pageview', 'abc', '/a');
    await elsewhere.client.request('pageview', 'abc', '/b');
    for (const { client } of [inline, elsewhere]) expect(await client.session('abc').unseen(PAGES)).toEqual(['/c']);
    expect(overlap).not.toHaveBeenCalled();
  });
}

function testClose<Made extends MadeObject>(stage: Stage<Made>): void {
  it.each<[string, Partial<SessionwiseOptions>]>([
    ['with a service elsewhere', {}],
    ['with the service in its process', { service: 'inline', secret: SECRET }],
  ])('leaves no connection, at whatever moment and however often: %s', async (_, options) => {
    const noConnection = async (): Promise<boolean> => (await stage.connections()).length === 0;
    // In the middle of a connect; a moment later; when all stands.
    for (const wait of [
      () => undefined,
      () => new Promise(setImmediate),
      (made: Made) => made.store.get(createToken()),
      (made: Made) => made.client.ready(),
    ]) {
      const made = stage.make(options);
      void made.store;
      await wait(made);
      await Promise.all([made.close(), made.close(), made.close()]);
      await waitUntil('nothing is left', noConnection);
      await made.close();
      expect(await made.client.ready(1)).toBe(false);
      expect(await made.client.session('abc').visit()).toBeUndefined();
    }
  });

  it('does so where Redis is away', async () => {
    for (const options of [{}, { service: 'inline', secret: SECRET }] as const) {
      const made = stage.make({ ...options, redis: 'unix:///nowhere/redis.sock' });
      void made.store;
      const waiting = made.store.get(createToken()).then(
        () => 'read',
        (error: { code: string }) => error.code,
      );
      await made.close();
      expect(await waiting).toBe('STORE_UNAVAILABLE');
    }
  });

  it('opens no store any more', async () => {
    const made = stage.make();
    await made.close();
    expect(() => made.store).toThrow(/was closed/);
  });
}

function testSubjects<Made extends MadeObject>(stage: Stage<Made>): void {
  it('tells all of a user, and erases it, with the secret', async () => {
    const made = stage.inline();
    const browser = await stage.browser(made);
    expect(await made.client.ready()).toBe(true);
    await browser.page('/a');
    await browser.page('/login');
    const told = await made.export({ user: 'ada' }, { candidates: PAGES });
    expect(told.sessions).toMatchObject([{ userId: 'ada', state: 'living' }]);
    expect(told.knowledge[0]).toMatchObject({ seen: { '/a': true, '/b': false } });
    const erased = await made.forget({ user: 'ada' });
    expect(erased).toMatchObject({ sessions: 1, archived: null });
    expect(erased.knowledge).toBeGreaterThan(0);
    expect((await made.export({ user: 'ada' })).sessions).toEqual([]);
    expect(await made.person('ada').seen(PAGES)).toEqual([]);
    await waitUntil('its connection is gone', async () => (await stage.connections()).length <= 3);
  });

  it('says that it needs the secret', async () => {
    const made = stage.make();
    for (const verb of ['forget', 'export'] as const) {
      await expect(made[verb]({ user: 'ada' })).rejects.toThrow(
        new RegExp(`^${verb}\\(\\) needs the secret .* store\\.data\\.${verb}\\(\\)`),
      );
    }
    await expect(stage.make({ secret: SECRET }).export({ user: 'ada' })).rejects.toMatchObject({
      code: 'NAMESPACE_UNKNOWN',
    });
    const inline = stage.inline();
    expect(await inline.client.ready()).toBe(true);
    await expect(inline.forget({} as never)).rejects.toThrow(RangeError);
    // Else the rows of an archive would stay, and nobody would say so.
    await expect(inline.forget({ user: 'ada' }, { archiv: {} } as never)).rejects.toThrow(/did you mean "archive"/);
    await expect(inline.export({ user: 'ada' }, { seen: ['/a'] } as never)).rejects.toThrow(/no option "seen"/);
  });
}

function testOptions<Made extends MadeObject>(stage: Stage<Made>): void {
  const redis = 'redis://127.0.0.1:1';
  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /takes its options as an object/],
    ['no redis', {}, /needs redis: give a redis:\/\/ URL/],
    ['a misspelt name', { redis, secrte: SECRET }, /no option "secrte": did you mean "secret"/],
    ['a wrong type', { redis, namespace: 7 }, /namespace 7 cannot be used: give a text/],
    ['another kind of service', { redis, service: 'inlnie' }, /service "inlnie" \(did you mean "inline"\?\)/],
    ['a service without its secret', { redis, service: 'inline' }, /needs secret, the key of what Redis keeps/],
    ['a short secret', { redis, service: 'inline', secret: 'short' }, /at least 16 characters/],
    ['a short secret of a client', { redis, secret: 'short' }, /at least 16 characters/],
    ['a service and a transport', { redis, service: 'inline', secret: SECRET, transport: 'streams' }, /leave out tr/],
    [
      'an option of the service',
      { redis, suggestions: [] },
      /"suggestions": it belongs to the service: service: \{ suggestions \}/,
    ],
    ['an option of the store', { redis, idleMs: 7 }, /"idleMs": it belongs to the store: store: \{ idleMs \}/],
    ['an option of the client', { redis, maxPending: 7 }, /"maxPending": it belongs to the client/],
    ['an option of the middleware', { redis, user: () => 'ada' }, /"user": it belongs to sw\.knowledge: \{ user \}/],
    ['an option of sessions', { redis, resave: false }, /"resave": it belongs to sw\.session: \{ resave \}/],
    ['an option of both', { redis, cookie: {} }, /"cookie": it belongs to sw\.session: .* visitors to sw\.knowledge/],
    ['a part of the address', { url: 'redis://127.0.0.1:1' }, /"url": it belongs to the address: redis: \{ url \}/],
    [
      'an option of all, to the store',
      { redis, store: { namespace: 'x' } },
      /give createSessionwise\(\{ namespace \}\)/,
    ],
    ['an option of all, to the client', { redis, client: { secret: 'x' } }, /give createSessionwise\(\{ secret \}\)/],
    ['a misspelt option of the store', { redis, store: { idelMs: 7 } }, /store knows .*did you mean "idleMs"/],
    ['a misspelt option of the client', { redis, client: { maxPendign: 7 } }, /client knows .*"maxPending"/],
    ['a transport', { redis, transport: 'channel' }, /transport "channel" cannot be used/],
    ['a client of node-redis', { redis, client: { sendCommand() {} } }, /connect-redis's client is `redis` here/],
    ['connect-redis’s prefix', { redis, prefix: 'sess:' }, /"prefix": .*`importFrom` or `mirrorTo`/],
    ['connect-redis’s ttl, to the store', { redis, store: { ttl: 60 } }, /"ttl": .*is `idleMs` here, in milliseconds/],
    ['connect-redis’s serializer', { redis, serializer: JSON }, /"serializer": fields are stored as JSON/],
  ])('refuses %s', (_, options, sentence) => {
    expect(() => stage.under.create(options as SessionwiseOptions)).toThrow(RangeError);
    expect(() => stage.under.create(options as SessionwiseOptions)).toThrow(sentence);
  });

  it.each([{}, { service: 'inline', secret: SECRET }] as const)(
    'refuses at once what is no address (%j)',
    (service) => {
      const create = (options: Partial<SessionwiseOptions>) => (): unknown =>
        stage.under.create({ redis, ...options, ...service });
      expect(create({ redis: 'http://127.0.0.1' })).toThrow(expect.objectContaining({ code: 'CONNECTION_OPTIONS' }));
      expect(create({ redis: { prot: 7 } as never })).toThrow(expect.objectContaining({ code: 'CONNECTION_OPTIONS' }));
      expect(create({ namespace: 'a:b' })).toThrow(RangeError);
    },
  );

  it('refuses those of its store when that is opened', () => {
    expect(() => stage.make({ store: { idleMs: -1 } }).store).toThrow(/idleMs -1 cannot be used/);
    expect(() => stage.make().person('undefined')).toThrow(RangeError);
  });
}
