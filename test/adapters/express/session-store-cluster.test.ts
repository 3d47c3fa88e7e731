import { afterAll, beforeAll, expect, test } from 'vitest';
import { sessionOf } from '../../../src/protocol/index.ts';
import { tokenOn, userOn } from '../../sessions/cluster/cluster-stage.ts';
import { startTestCluster, type TestCluster } from '../../support/test-cluster.ts';
import {
  fieldsIn,
  fieldsOf,
  type ServedStore,
  type SetUp,
  serveStore,
  tokenIn,
  Visitor,
} from './session-store-stage.suite.ts';

/* The express-session store on a Cluster of three masters: the life of sessions that lie on each of them, of users whose
 * lists do. */

let cluster: TestCluster;
let served: ServedStore;

const pages: SetUp = (app) => {
  app.get('/login/:user', async (request, response) => {
    fieldsIn(request).user = request.params.user;
    await request.session.rotate();
    response.json(await request.session.identify(request.params.user));
  });
  app.get('/cart/:item', (request, response) => {
    const { cart = [] } = fieldsOf(request.session) as { cart?: string[] };
    fieldsIn(request).cart = [...cart, request.params.item];
    response.send('added');
  });
  app.get('/fields', (request, response) => {
    response.json(fieldsOf(request.session));
  });
  app.get('/rotate', async (request, response) => {
    await request.session.rotate();
    response.json(true);
  });
  app.get('/logout', (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.send('bye')));
  });
};

beforeAll(async () => {
  cluster = await startTestCluster({ masters: 3 });
  let begun = 0;
  served = await serveStore(
    { redis: cluster.url, maxSessionsPerUser: 1, onSessionLimit: 'end-oldest' },
    { genid: () => tokenOn(begun++ % 3) },
    pages,
  );
}, 60_000);
afterAll(async () => {
  await served?.stop();
  await cluster?.stop();
});

test('a visit, a login, a cart, a rotation and a logout, on each master', async () => {
  const { data } = served.store;
  const lives = Array.from({ length: 9 }, async (_, i) => {
    const user = userOn(Math.floor(i / 3));
    const visitor = new Visitor(served);
    await visitor.text('/cart/tea');
    const session = sessionOf(tokenIn(visitor.cookie));
    expect(await visitor.json(`/login/${user}`)).toEqual([]);
    await visitor.text('/cart/cup');
    expect(await visitor.json('/fields')).toEqual({ user, cart: ['tea', 'cup'] });
    expect((await data.sessionsOf(user)).map((listed) => listed.session)).toEqual([session]);

    const before = visitor.cookie;
    expect(await visitor.json('/rotate')).toBe(true);
    expect(visitor.cookie).not.toBe(before);
    expect(sessionOf(tokenIn(visitor.cookie))).toBe(session);
    expect(await visitor.json('/fields')).toEqual({ user, cart: ['tea', 'cup'] });

    expect(await visitor.text('/logout')).toBe('bye');
    expect(await visitor.json('/fields')).toEqual({});
    expect(await data.sessionsOf(user)).toEqual([]);
  });
  await Promise.all(lives);
  expect(served.errors).toEqual([]);
});

test('a second login of a user ends the first', async () => {
  const [first, second] = [new Visitor(served), new Visitor(served)];
  await first.json('/login/grace');
  await first.text('/cart/tea');
  const session = sessionOf(tokenIn(first.cookie));
  expect(await second.json('/login/grace')).toEqual([session]);
  expect(await first.json('/fields')).toEqual({});
  expect(await second.json('/fields')).toEqual({ user: 'grace' });
  expect(served.errors).toEqual([]);
});
