import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Service } from '../../dist/service/index.js';
import { openService, openShop, type Shop, Visitor } from '../support/shop-stage.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The shop's people: what a visitor has seen is the person's once they log in. */

const redis = useRedis({ eachTest: 'kept' });
let service: Service;
let shop: Shop;

beforeAll(async () => {
  service = await openService(redis.url);
  shop = await openShop({ redis: redis.url, deadlineMs: 5_000 });
});
afterAll(async () => {
  await shop?.close();
  await service?.stop();
});

it('a login takes the visitor’s figures with it, to other devices too, and a logout leaves a new visitor', async () => {
  const visitor = new Visitor(shop);
  await waitUntil('the service answers', async () => (await visitor.get('/raw-session-analytics')).status === 200);
  await visitor.get('/');
  await visitor.add('tv');
  await visitor.get('/added/tv');
  await visitor.logIn('Ann');
  const page = await visitor.get('/');
  expect([page.name, page.totalPages]).toEqual(['Ann', 3]);
  expect(page.all('data-featured')).not.toContain('/added/tv');
  const phone = new Visitor(shop);
  await phone.logIn('Ann');
  expect((await phone.get('/')).totalPages).toBe(4);
  await visitor.post('/logout', []);
  expect((await visitor.get('/')).totalPages).toBe(1);
});
