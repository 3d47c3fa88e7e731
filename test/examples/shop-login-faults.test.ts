import { afterEach, describe, expect, it } from 'vitest';
import type { Service } from '../../dist/service/index.js';
import { createConnection } from '../../src/redis/index.ts';
import { startRedisProxy } from '../support/redis-proxy.ts';
import { openService, openShop, type Shop, Visitor } from '../support/shop-stage.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const FORMS = ['/cart', '/cart/remove', '/login', '/logout', '/devices/end', '/devices/end-others', '/devices/end-all'];

const redis = useRedis({ persistence: true });

it('the shop: Redis that refuses writes: what is known is shown, forms are refused until there is room again', async () => {
  const shop = await openShop({ redis: redis.url, deadlineMs: 5_000 });
  const admin = await createConnection(redis.url).connect();
  try {
    const visitor = new Visitor(shop);
    await visitor.add('tv');
    await visitor.logIn('Ann');
    await admin.command('CONFIG', 'SET', 'maxmemory', '1');
    for (let tries = 0; tries < 2; tries++) {
      expect((await visitor.add('tv')).status).toBe(503);
      const page = await visitor.get('/cart');
      expect([page.name, page.all('data-count'), page.all('data-away')]).toEqual(['Ann', ['1'], []]);
    }
    expect((await new Visitor(shop).get('/')).all('data-away')).toHaveLength(1);
    await admin.command('CONFIG', 'SET', 'maxmemory', '0');
    expect((await visitor.add('tv')).status).toBe(303);
    expect(await visitor.cart()).toEqual({ tv: 2 });
    expect((await new Visitor(shop).get('/')).all('data-away')).toEqual([]);
  } finally {
    await admin.close();
    await shop.close();
  }
});

// Client and store share it, and the client comes first.
const CONNECTION = 'sessionwise-client';

it('the shop: a click whose session is ended before it is counted is told so', async () => {
  const proxy = await startRedisProxy(redis.socketPath);
  const [slow, shop] = [
    await openShop({ redis: proxy.url, deadlineMs: 5_000 }),
    await openShop({ redis: redis.url, deadlineMs: 5_000 }),
  ];
  try {
    const visitor = new Visitor(slow);
    await (await visitor.add('tv')).text();
    const elsewhere = new Visitor(shop);
    for (const who of [visitor, elsewhere]) await who.logIn('Ann');
    proxy.reset();
    const click = visitor.add('tv');
    while (!proxy.commands(CONNECTION).some(([command]) => command === 'GET')) await new Promise(setImmediate);
    const release = proxy.hold(CONNECTION);
    const ended = await elsewhere.post('/devices/end-others', []);
    expect(ended.headers.get('location')).toBe('/devices?ended=1');
    release();
    const answer = await click;
    expect([answer.status, await answer.text()]).toEqual([409, expect.stringContaining('Your session has ended')]);
    const page = await visitor.get('/');
    expect([page.name, page.all('data-items')]).toEqual([undefined, []]);
  } finally {
    await slow.close();
    await shop.close();
    await proxy.close();
  }
});

it('the shop: a login that could not be written is not told as done', async () => {
  const proxy = await startRedisProxy(redis.socketPath);
  const shop = await openShop({ redis: proxy.url, deadlineMs: 1_000 });
  try {
    // Redis knows the scripts afterwards.
    await new Visitor(shop).logIn('Ann');
    const visitor = new Visitor(shop);
    // The answer ends when the session is saved.
    await (await visitor.add('tv')).text();
    proxy.reset();
    const scripts = () => proxy.commands(CONNECTION).filter(([command]) => command === 'EVALSHA').length;
    const login = visitor.post('/login', [['name', 'Bob']]);
    // Whose it is, and the new secret, come through; what follows does not.
    while (scripts() < 2) await new Promise(setImmediate);
    const release = proxy.hold(CONNECTION);
    expect((await login).status).toBe(503);
    release();
    await waitUntil('the session to be back', async () => 'tv' in (await visitor.cart()));
  } finally {
    await shop.close();
    await proxy.close();
  }
});

describe('the shop, while session data are away', () => {
  let service: Service;
  let shop: Shop;

  afterEach(async () => {
    await shop.close();
    await service.stop();
  });

  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    '%s: pages say so, forms are refused politely, no cookie is lost',
    async (signal) => {
      service = await openService(redis.url);
      shop = await openShop({ redis: redis.url, deadlineMs: 1_500 });
      const visitor = new Visitor(shop);
      await visitor.add('tv');
      await visitor.logIn('Ann');
      expect((await visitor.get('/')).all('data-away')).toEqual([]);
      const { cookie } = visitor;

      redis.kill(signal);
      await waitUntil('the page to notice', async () => (await visitor.get('/')).all('data-away').length === 1);
      const { cookiesSet: noticed } = visitor;
      const stranger = new Visitor(shop);
      for (const path of ['/', '/cart', '/login', '/devices', '/added/tv', '/confirm-purchase']) {
        const page = await visitor.get(path);
        expect([path, page.status, page.all('data-away').length, page.all('data-account')]).toEqual([
          path,
          200,
          1,
          ['unknown'],
        ]);
        expect(page.body).not.toContain('<form method="post" action="/login"');
        expect((await stranger.get(path)).all('data-away')).toHaveLength(1);
      }
      // Who has put nothing into a session has none.
      expect(stranger.tokens).toEqual([]);
      for (const who of [visitor, new Visitor(shop)]) {
        const { cookiesSet: before } = who;
        for (const path of FORMS) {
          const form = await who.post(path, [
            ['product', 'tv'],
            ['name', 'Bob'],
          ]);
          expect([path, form.status, form.headers.get('retry-after')]).toEqual([path, 503, '5']);
          expect(await form.text()).toContain('Nothing is lost');
        }
        expect(who.cookiesSet).toBe(before);
      }
      expect([visitor.cookie, visitor.cookiesSet]).toEqual([cookie, noticed]);

      if (signal === 'SIGKILL') await redis.restart();
      else redis.kill('SIGCONT');
      await waitUntil('the session to be back', async () => (await visitor.get('/')).name === 'Ann');
      expect(await visitor.cart()).toEqual({ tv: 1 });
      expect(visitor.cookie).toBe(cookie);
    },
  );
});
