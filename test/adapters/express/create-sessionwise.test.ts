import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '@redis/client';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSessionwise, type Sessionwise } from '../../../src/adapters/express/index.ts';
import { loadPeer } from '../../../src/adapters/load-peer.ts';
import { createToken } from '../../../src/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { type SiteRequest, testCreateSessionwise } from '../create-sessionwise.suite.ts';

testCreateSessionwise<Sessionwise>({
  name: 'Express',
  cookieName: 'connect.sid',
  create: createSessionwise,
  async open(sw, pages, session = {}) {
    const app = express().set('trust proxy', 1);
    if (session) app.use(sw.session({ secret: 'a secret for tests, and only for them', ...session }));
    app.use(sw.knowledge(session ? {} : { user: (request) => request.get('x-user') }));
    app.get('/:name', async (request, response) => {
      response.json((await pages[request.params.name]!(request as unknown as SiteRequest)) ?? null);
    });
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async close() {
        server.closeAllConnections();
        server.close();
      },
    };
  },
});

describe('the middlewares of createSessionwise', () => {
  const server = useRedis({ eachTest: 'kept' });
  const make = (): Sessionwise => {
    const sw = createSessionwise({ redis: server.url });
    onTestFinished(() => sw.close());
    return sw;
  };

  it.each<[string, object, RegExp]>([
    ['no secret', {}, /sw\.session\(\) needs secret, which signs the cookies/],
    ['an empty secret', { secret: '' }, /needs secret/],
    ['no secret of a list', { secret: [] }, /needs secret/],
    ['a store', { secret: 'x', store: {} }, /the store is that of this object/],
    ['an option of the cookie', { secret: 'x', maxAge: 7 }, /"maxAge": it belongs to the cookie: cookie: \{ maxAge/],
    ['an option of the store', { secret: 'x', idleMs: 7 }, /"idleMs": it belongs to the store: createS.*\{ idleMs/],
    ['an option of all', { secret: 'x', redis: '' }, /"redis": give createSessionwise\(\{ redis \}\) itself/],
    ['a misspelt name', { secret: 'x', rollling: true }, /did you mean "rolling"/],
    ['a wrong type', { secret: 'x', resave: 'no' }, /resave .* cannot be used: give true or false/],
  ])('refuse for sessions %s', (_, options, sentence) => {
    expect(() => make().session(options as never)).toThrow(RangeError);
    expect(() => make().session(options as never)).toThrow(sentence);
  });

  it.each<[string, object, RegExp]>([
    ['a client', { client: {} }, /leave client out/],
    ['a misspelt name', { pageviews: 'off' }, /sw\.knowledge\(\) knows no option "pageviews": did you mean "pageview"/],
    ['a wrong type', { user: 'ada' }, /user .* cannot be used: give a function/],
  ])('refuse for knowledge %s', (_, options, sentence) => {
    expect(() => make().knowledge(options)).toThrow(RangeError);
    expect(() => make().knowledge(options)).toThrow(sentence);
  });

  it('name a package that is not installed, and let its own errors through', () => {
    expect(() => loadPeer('no-such-package', 'sw.session()')).toThrow(
      expect.objectContaining({
        code: 'PEER_MISSING',
        message:
          'sw.session() needs the package no-such-package, which is not installed: run `npm install no-such-package`.',
      }),
    );
    expect(loadPeer('express-session', 'sw.session()')).toBeTypeOf('function');
  });

  it('may be taken off the object', () => {
    const { session, knowledge, person, close } = make();
    expect(session({ secret: 'x' })).toBeTypeOf('function');
    expect(knowledge()).toBeTypeOf('function');
    expect(person('ada').id).toMatch(/_$/);
    expect(close()).toBeInstanceOf(Promise);
  });

  it('take the address of a client of node-redis', async () => {
    const client = createClient({ socket: { path: server.url.slice('unix://'.length), tls: false } });
    const sw = createSessionwise({ redis: client, service: 'inline', secret: 'a secret of the tests, long enough' });
    onTestFinished(() => sw.close());
    expect(await sw.client.ready()).toBe(true);
    await sw.store.data.save(createToken(), { cart: [] });
    expect(await sw.client.session('abc').unseen(['/a'])).toEqual(['/a']);
  });
});
