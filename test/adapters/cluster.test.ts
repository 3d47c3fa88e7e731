import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionOf } from '../../src/protocol/index.ts';
import { tokenOn, userOn } from '../sessions/cluster/cluster-stage.ts';
import { useCluster } from '../support/use-cluster.ts';
import { EXPRESS } from './express/express-under-test.ts';
import { FASTIFY } from './fastify/fastify-under-test.ts';
import { NODE_HTTP } from './node-http/node-http-under-test.ts';
import { fieldsOf, type Pages, type Site, Visitor } from './suite/adapter-site.ts';

/* The adapters on a Cluster of three masters: the life of sessions that lie on each of them, of users whose lists do. */

const pages: Pages = {
  login: async (context, user) => {
    context.session.user = user;
    await context.session.rotate();
    return context.session.identify(user!);
  },
  cart: ({ session }, item) => {
    session.cart = [...((session.cart as string[] | undefined) ?? []), item];
  },
  fields: ({ session }) => fieldsOf(session),
  rotate: ({ session }) => session.rotate(),
  logout: ({ destroy }) => destroy(),
};

const cluster = useCluster({ masters: 3, eachTest: 'kept' });

describe.each([EXPRESS, FASTIFY, NODE_HTTP])('$name on a Cluster', (adapter) => {
  let site: Site;

  beforeAll(async () => {
    let begun = 0;
    const namespace = adapter.name.toLowerCase().replaceAll(/\W/g, '');
    site = await adapter.open({
      store: { redis: cluster.url, namespace, maxSessionsPerUser: 1, onSessionLimit: 'end-oldest' },
      settings: adapter.anonymous.at(adapter === EXPRESS ? 0 : -1)![1],
      genid: () => tokenOn(begun++ % 3),
      pages,
    });
  });
  afterAll(() => site?.close());
  const visit = (): Visitor => new Visitor(site, adapter.cookies);

  it('serves a visit, a login, a cart, a rotation and a logout, on each master', async () => {
    const { data } = site.store;
    const lives = Array.from({ length: 9 }, async (_, i) => {
      const user = userOn(Math.floor(i / 3));
      const visitor = visit();
      await visitor.page('/cart/tea');
      const session = sessionOf(visitor.token);
      expect(await visitor.page(`/login/${user}`)).toEqual([]);
      await visitor.page('/cart/cup');
      expect(await visitor.page('/fields')).toEqual({ user, cart: ['tea', 'cup'] });
      expect((await data.sessionsOf(user)).map((listed) => listed.session)).toEqual([session]);

      const before = visitor.cookie;
      await visitor.page('/rotate');
      expect(visitor.cookie).not.toBe(before);
      expect(sessionOf(visitor.token)).toBe(session);
      expect(await visitor.page('/fields')).toEqual({ user, cart: ['tea', 'cup'] });

      const last = visitor.twin();
      await visitor.page('/logout');
      expect(await last.page('/fields')).toEqual({});
      expect(await data.sessionsOf(user)).toEqual([]);
    });
    await Promise.all(lives);
    expect(site.errors).toEqual([]);
  });

  it('ends the first session of a user at a second login', async () => {
    const [first, second] = [visit(), visit()];
    await first.page('/login/grace');
    await first.page('/cart/tea');
    const session = sessionOf(first.token);
    expect(await second.page('/login/grace')).toEqual([session]);
    expect(await first.page('/fields')).toEqual({});
    expect(await second.page('/fields')).toEqual({ user: 'grace' });
    expect(site.errors).toEqual([]);
  });
});
