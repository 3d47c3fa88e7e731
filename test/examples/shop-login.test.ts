import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../dist/service/index.js';
import { createConnection } from '../../src/redis/index.ts';
import { formsOfToken, placesOf } from '../support/grep-redis.ts';
import { openService, openShop, type Page, type Shop, Visitor } from '../support/shop-stage.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1';
const FORMS = ['/cart', '/cart/remove', '/login', '/logout', '/devices/end', '/devices/end-others', '/devices/end-all'];

const sessionOfToken = (token: string | undefined): string => token!.slice(0, token!.indexOf('.'));

describe('login, cart and devices of the shop', () => {
  const redis = useRedis({ persistence: true, eachTest: 'kept' });
  let service: Service;
  let shop: Shop;
  const visitors: Visitor[] = [];

  beforeAll(async () => {
    service = await openService(redis.url);
    shop = await openShop({ redis: redis.url, deadlineMs: 5_000 });
    await arrive().get('/');
  });
  afterAll(async () => {
    await shop?.close();
    await service?.stop();
  });
  const arrive = (userAgent?: string): Visitor => {
    const visitor = new Visitor(shop, userAgent === undefined ? {} : { userAgent });
    visitors.push(visitor);
    return visitor;
  };

  it('a login changes the secret and keeps the session and its cart', async () => {
    const visitor = arrive();
    const first = await visitor.get('/');
    expect([first.all('data-account'), first.all('data-items')]).toEqual([['out'], []]);
    const added = await visitor.add('tv');
    expect([added.status, added.headers.get('location')]).toEqual([303, '/added/tv']);
    await visitor.get('/added/tv');
    await visitor.logIn('Ann');
    const page = await visitor.get('/');
    expect([page.name, page.all('data-items')]).toEqual(['Ann', ['1']]);
    const [before, after, ...more] = visitor.tokens;
    expect(more).toEqual([]);
    expect(sessionOfToken(after)).toBe(sessionOfToken(before));
    expect(after).not.toBe(before);
    expect(await visitor.cart()).toEqual({ tv: 1 });
  });

  it('a first visit may be a login', async () => {
    const visitor = arrive();
    await visitor.logIn('Ann');
    expect((await visitor.get('/')).name).toBe('Ann');
    expect(visitor.tokens).toHaveLength(1);
  });

  it.each([
    ['white space around and within is tidied', '  Ann \t  Lee ', 'Ann Lee'],
    ['markup stays text', '<b>"Ann"</b>', '&lt;b&gt;&quot;Ann&quot;&lt;/b&gt;'],
    ['forty characters of four bytes', '🦊'.repeat(40), '🦊'.repeat(40)],
  ])('a name: %s', async (_what, given, shown) => {
    const visitor = arrive();
    await visitor.logIn(given);
    expect((await visitor.get('/')).name).toBe(shown);
  });

  it.each([
    ['nothing', [], ''],
    ['an empty name', [['name', '']], ''],
    ['white space', [['name', ' \t ']], ''],
    ['forty-one characters', [['name', 'x'.repeat(41)]], 'x'.repeat(41)],
    ['a character that nobody sees', [['name', 'An\u0007n"']], 'An\u0007n&quot;'],
    ['two names', [['name', 'Ann'], ['name', 'Bob']], ''], // biome-ignore format: one line is one case
  ] as [string, [string, string][], string][])('is no login: %s', async (_what, fields, kept) => {
    const visitor = arrive();
    await visitor.get('/');
    const response = await visitor.post('/login', fields);
    const body = await response.text();
    expect(response.status).toBe(422);
    expect(body).toMatch(/<p id="problem" class="wrong" role="alert">[^<]+<\/p>/);
    expect(body).toContain(`<input id="name" name="name" value="${kept}"`);
    expect((await visitor.get('/')).all('data-account')).toEqual(['out']);
    expect(visitor.tokens).toEqual([]);
  });

  it('the cart counts, sums up, and gives back', async () => {
    const visitor = arrive();
    for (const product of ['tv', 'tv-mount', 'tv-mount']) await visitor.add(product);
    const more = await visitor.post('/cart', [
      ['product', 'lamp'],
      ['back', 'cart'],
    ]);
    expect(more.headers.get('location')).toBe('/cart');
    const cart = await visitor.get('/cart');
    expect(await visitor.cart()).toEqual({ tv: 1, 'tv-mount': 2, lamp: 1 });
    expect([cart.all('data-total'), cart.all('data-items')]).toEqual([['851'], ['4']]);
    const order = await visitor.get('/confirm-purchase');
    expect([order.all('data-order'), order.all('data-total')]).toEqual([['tv', 'tv-mount', 'lamp'], ['851']]);
    expect((await visitor.get('/added/tv-mount')).all('data-in-cart')).toEqual(['2']);
    expect((await visitor.get('/added/soundbar')).all('data-in-cart')).toEqual([]);
    for (const product of ['tv-mount', 'tv-mount', 'soundbar']) {
      const removed = await visitor.post('/cart/remove', [['product', product]]);
      expect(removed.headers.get('location')).toBe('/cart');
    }
    expect(await visitor.cart()).toEqual({ tv: 1, lamp: 1 });
    await visitor.add('tv-mount');
    expect(await visitor.cart()).toEqual({ tv: 1, 'tv-mount': 1, lamp: 1 });
  });

  it.each(['', 'nothing', '__proto__', '/added/nothing'])('"%s" cannot be bought', async (product) => {
    const visitor = arrive();
    expect((await visitor.add(product)).status).toBe(400);
    expect((await visitor.post('/cart/remove', [['product', product]])).status).toBe(400);
    expect(visitor.cookiesSet).toBe(0);
  });

  it('parallel clicks all count, and of a login in their midst each says whether it did', async () => {
    const visitor = arrive();
    // The first thing in the cart begins the session.
    await visitor.add('tv');
    const clicks = (product: string) => Array.from({ length: 25 }, () => visitor.add(product));
    const answers = await Promise.all([...clicks('tv'), ...clicks('lamp')]);
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(303));
    expect(await visitor.cart()).toEqual({ tv: 26, lamp: 25 });
    // The login gives the session another secret, and a click that still comes with the old one is a stranger's.
    const [before, login, behind] = [clicks('tv'), visitor.logIn('Busy'), clicks('lamp')];
    const counted = async (all: typeof before): Promise<number> => {
      const statuses = (await Promise.all(all)).map(({ status }) => status);
      expect(statuses.filter((status) => status !== 303 && status !== 409)).toEqual([]);
      return statuses.filter((status) => status === 303).length;
    };
    const [tv, lamp] = [26 + (await counted(before)), 25 + (await counted(behind))];
    await login;
    expect(await visitor.cart()).toEqual({ tv, lamp });
    expect((await visitor.get('/')).name).toBe('Busy');
  });

  it('a logout ends the session and takes the cookie', async () => {
    const visitor = arrive();
    await visitor.add('tv');
    await visitor.logIn('Leaving');
    const { cookie } = visitor;
    expect((await visitor.post('/logout', [])).headers.get('location')).toBe('/');
    expect(visitor.cookie).toBeUndefined();
    const thief = await visitor.get('/cart', { headers: { cookie: cookie! } });
    expect([thief.all('data-account'), thief.all('data-line')]).toEqual([['out'], []]);
  });

  it('who logs in under another name begins anew', async () => {
    const visitor = arrive();
    await visitor.add('tv');
    await visitor.logIn('One');
    await visitor.logIn('One');
    expect(await visitor.cart()).toEqual({ tv: 1 });
    await visitor.logIn('Another');
    expect([(await visitor.get('/')).name, await visitor.cart()]).toEqual(['Another', {}]);
    const sessions = new Set(visitor.tokens.map(sessionOfToken));
    expect(sessions.size).toBe(2);
  });

  describe('devices', () => {
    const two = async (name: string): Promise<[Visitor, Visitor]> => {
      const pair: [Visitor, Visitor] = [arrive(FIREFOX), arrive(PHONE)];
      for (const visitor of pair) await visitor.logIn(name);
      return pair;
    };
    const labelsOn = ({ body }: Page): string[] =>
      [...body.matchAll(/<h2><bdi>(.*?)<\/bdi>/g)].map(([, label]) => label!);

    it('are listed with what they are and when they were seen, this one marked', async () => {
      const [desk, phone] = await two('Devices');
      const page = await phone.get('/devices');
      expect(labelsOn(page).sort()).toEqual(['Firefox on Linux', 'Safari on iPhone']);
      const marked = /data-device="([^"]*)" data-this-device>/.exec(page.body)![1];
      expect(marked).toBe(sessionOfToken(phone.tokens.at(-1)));
      expect(page.all('data-device').sort()).toEqual(
        [desk, phone].map(({ tokens }) => sessionOfToken(tokens.at(-1))).sort(),
      );
      expect(page.all('datetime').every((time) => Math.abs(Date.parse(time) - Date.now()) < 60_000)).toBe(true);
      expect(page.body).toMatch(/First seen <time[^>]*>just now<\/time>, last seen now/);
    });

    it('can be logged out from another, which shows at their next page', async () => {
      const [desk, phone] = await two('Ending');
      await phone.add('tv');
      const [token] = phone.tokens;
      const form = await desk.post('/devices/end', [['session', sessionOfToken(token)]]);
      expect(form.headers.get('location')).toBe('/devices?ended=1');
      expect(labelsOn(await desk.get('/devices'))).toEqual(['Firefox on Linux']);
      const page = await phone.get('/');
      expect([page.all('data-account'), page.all('data-items'), page.totalPages]).toEqual([['out'], [], 1]);
      expect((await desk.get('/')).name).toBe('Ending');
      const again = await desk.post('/devices/end', [['session', sessionOfToken(token)]]);
      expect(again.headers.get('location')).toBe('/devices?ended=0');
    });

    it('of others cannot be logged out, nor what is none', async () => {
      const [desk] = await two('Mine');
      const other = arrive();
      await other.logIn('Theirs');
      for (const session of [sessionOfToken(desk.tokens.at(-1)), '', 'a b', '../x', 'x'.repeat(500), '__proto__']) {
        const form = await other.post('/devices/end', [['session', session]]);
        expect([session, form.headers.get('location')]).toEqual([session, '/devices?ended=0']);
      }
      await other.post('/devices/end-all', []);
      expect((await desk.get('/')).name).toBe('Mine');
      expect((await other.get('/')).all('data-account')).toEqual(['out']);
    });

    it('all others at once', async () => {
      const [desk, phone] = await two('Others');
      expect((await desk.post('/devices/end-others', [])).headers.get('location')).toBe('/devices?ended=1');
      expect([(await desk.get('/')).name, (await phone.get('/')).name]).toEqual(['Others', undefined]);
    });

    it('all at once', async () => {
      const [desk, phone] = await two('Everywhere');
      expect((await desk.post('/devices/end-all', [])).headers.get('location')).toBe('/');
      expect(desk.cookie).toBeUndefined();
      for (const visitor of [desk, phone]) expect((await visitor.get('/')).all('data-account')).toEqual(['out']);
    });

    it('this one by its own id is a logout', async () => {
      const [desk] = await two('Oneself');
      const form = await desk.post('/devices/end', [['session', sessionOfToken(desk.tokens.at(-1))]]);
      expect([form.headers.get('location'), desk.cookie]).toEqual(['/', undefined]);
    });

    it('who is not logged in is asked to', async () => {
      const visitor = arrive();
      expect((await visitor.fetch('/devices')).headers.get('location')).toBe('/login');
      for (const path of ['/devices/end', '/devices/end-others', '/devices/end-all']) {
        expect((await visitor.post(path, [])).headers.get('location')).toBe('/login');
      }
    });
  });

  it.each<[string, Record<string, string>]>([
    ['another site', { origin: 'https://other.example', 'sec-fetch-site': 'cross-site' }],
    ['a neighbour', { 'sec-fetch-site': 'same-site' }],
    ['an old browser elsewhere', { origin: 'https://other.example' }],
    ['nowhere', { origin: 'null' }],
  ])('a form of %s does nothing', async (_who, headers) => {
    const visitor = arrive();
    await visitor.add('tv');
    await visitor.logIn('Careful');
    for (const path of [...FORMS, '/notifications', '/notifications.json']) {
      const fields: [string, string][] = [
        ['product', 'tv'],
        ['name', 'Mallory'],
        ['do', 'read'],
        ['id', 'new-lamps'],
      ];
      expect([path, (await visitor.post(path, fields, headers)).status]).toEqual([path, 403]);
    }
    expect([(await visitor.get('/')).name, await visitor.cart()]).toEqual(['Careful', { tv: 1 }]);
    expect((await visitor.get('/notifications')).all('data-read')).toEqual(['false', 'false', 'false']);
    const own = await visitor.post('/cart', [['product', 'tv']], { origin: shop.url, 'sec-fetch-site': 'same-origin' });
    expect(own.status).toBe(303);
  });

  it('Redis may be killed and started: who was logged in still is, with cart and figures', async () => {
    const visitor = arrive();
    await visitor.get('/');
    await visitor.add('soundbar');
    await visitor.logIn('Patient');
    const { totalPages } = await visitor.get('/');
    redis.kill('SIGKILL');
    await redis.restart();
    await waitUntil('the session to be back', async () => (await visitor.get('/login')).name === 'Patient');
    expect(await visitor.cart()).toEqual({ soundbar: 1 });
    await waitUntil('the figures to be back', async () => (await visitor.get('/')).totalPages > totalPages);
    expect(visitor.tokens).toHaveLength(2);
  });

  it('Redis holds no token of any of these visitors', async () => {
    const tokens = visitors.flatMap((visitor) => visitor.tokens);
    expect(tokens.length).toBeGreaterThan(30);
    expect(await placesOf(redis.url, tokens.flatMap(formsOfToken))).toEqual([]);
    // It looks where one would be found.
    const [token] = tokens as [string];
    expect(await placesOf(redis.url, [sessionOfToken(token)])).toContain('the snapshot');
    const admin = await createConnection(redis.url).connect();
    await admin.command('HSET', 'planted', 'cookie', `s:${token}.signature`);
    await admin.close();
    expect(await placesOf(redis.url, formsOfToken(token))).toEqual(['planted', 'the snapshot']);
  });
});

it.each([
  [0, 'just now'],
  [119_999, 'just now'],
  [120_000, '2 minutes ago'],
  [3_599_999, '59 minutes ago'],
  [3_600_000, '1 hour ago'],
  [23 * 3_600_000, '23 hours ago'],
  [86_400_000, 'yesterday'],
  [20 * 86_400_000, '20 days ago'],
  [-5_000, 'just now'],
])('%i ms are "%s"', async (passedMs, words) => {
  const { ago } = (await import(new URL('../../examples/shop/ago.js', import.meta.url).href)) as {
    ago(then: number, now: number): string;
  };
  const now = Date.UTC(2026, 0, 1);
  expect(ago(now - passedMs, now)).toBe(words);
});
