import { afterAll, beforeAll, expect, it } from 'vitest';
import { sessionOf } from '../../../src/protocol/index.ts';
import { tokenOn, userOn } from '../../sessions/cluster/cluster-stage.ts';
import { startTestCluster, type TestCluster } from '../../support/test-cluster.ts';
import { fieldsOf, openSite, type Site } from './fastify-stage.ts';

/* The Fastify store on a Cluster of three masters: the life of sessions that lie on each of them, of users whose lists
 * do. */

let cluster: TestCluster;
let site: Site;

beforeAll(async () => {
  cluster = await startTestCluster({ masters: 3 });
  let begun = 0;
  site = await openSite({
    store: { redis: cluster.url, deadlineMs: 20_000, maxSessionsPerUser: 1, onSessionLimit: 'end-oldest' },
    session: { rolling: false, saveUninitialized: false, idGenerator: () => tokenOn(begun++ % 3) },
    routes: (app, store) => {
      app.get<{ Params: { user: string } }>('/identify/:user', async (request) => {
        fieldsOf(request).user = request.params.user;
        await store.rotate(request);
        return { rotated: true, ended: await store.identify(request, request.params.user) };
      });
      app.get<{ Params: { item: string } }>('/cart/:item', async (request) => {
        const { cart = [] } = fieldsOf(request) as { cart?: string[] };
        fieldsOf(request).cart = [...cart, request.params.item];
        return { cart: fieldsOf(request).cart };
      });
      app.get('/cart', async (request) => ({ user: fieldsOf(request).user, cart: fieldsOf(request).cart }));
      app.get('/rotate', async (request) => {
        await store.rotate(request);
        return { rotated: true };
      });
    },
  });
}, 60_000);
afterAll(async () => {
  await site?.close();
  await cluster?.stop();
});

it('a visit, a login, a cart, a rotation and a logout, on each master', async () => {
  const { data } = site.store;
  const lives = Array.from({ length: 9 }, async (_, i) => {
    const user = userOn(Math.floor(i / 3));
    const browser = site.browser();
    await browser.get('/cart/tea');
    const session = sessionOf(browser.token);
    expect((await browser.get(`/identify/${user}`)).body).toEqual({ rotated: true, ended: [] });
    expect((await browser.get('/cart/cup')).body).toEqual({ cart: ['tea', 'cup'] });
    expect((await data.sessionsOf(user)).map((listed) => listed.session)).toEqual([session]);

    const before = browser.cookie;
    expect((await browser.get('/rotate')).body).toEqual({ rotated: true });
    expect(browser.cookie).not.toBe(before);
    expect(sessionOf(browser.token)).toBe(session);
    expect((await browser.get('/cart')).body).toEqual({ user, cart: ['tea', 'cup'] });

    const last = browser.cookie;
    expect((await browser.get('/logout')).status).toBe(200);
    expect((await site.browser(last).get('/cart')).body).toEqual({});
    expect(await data.sessionsOf(user)).toEqual([]);
  });
  await Promise.all(lives);
});

it('a second login of a user ends the first', async () => {
  const [first, second] = [site.browser(), site.browser()];
  await first.get('/identify/grace');
  await first.get('/cart/tea');
  const session = sessionOf(first.token);
  expect((await second.get('/identify/grace')).body).toMatchObject({ ended: [session] });
  expect((await first.get('/cart')).body).toEqual({});
  expect((await second.get('/cart')).body).toEqual({ user: 'grace' });
});
