import type session from 'express-session';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { SessionStoreOptions } from '../../../src/adapters/express/index.ts';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { recordOf } from '../../../src/sessions/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { EXPRESS } from './express-under-test.ts';
import {
  fieldsIn,
  fieldsOf,
  type ServedStore,
  type SetUp,
  serveStore,
  tokenIn,
  Visitor,
} from './session-store-stage.suite.ts';

/** Pages that the tests ask for. */
const pages: SetUp = (app) => {
  app.get('/set/:name/:value', (request, response) => {
    fieldsIn(request)[request.params.name] = request.params.value;
    response.send('set');
  });
  app.get('/unset/:name', (request, response) => {
    delete fieldsIn(request)[request.params.name];
    response.send('unset');
  });
  app.get('/fields', (request, response) => {
    response.json(fieldsOf(request.session));
  });
  app.get('/info', (request, response) => {
    response.json(request.session.info() ?? null);
  });
  app.get('/logout', (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.send('bye')));
  });
  app.get('/regenerate', (request, response, next) => {
    request.session.regenerate((error) => {
      if (error) return next(error);
      fieldsIn(request).fresh = true;
      response.send('regenerated');
    });
  });
};

describe('express-session store', () => {
  const server = useRedis({ eachTest: 'kept' });
  const served: ServedStore[] = [];
  const serve = async (
    options: Partial<SessionStoreOptions> = {},
    sessionOptions: Parameters<typeof serveStore>[1] = {},
    setUp: SetUp = pages,
  ): Promise<ServedStore> => {
    const one = await serveStore({ redis: server.url, ...options }, sessionOptions, setUp);
    served.push(one);
    return one;
  };
  afterAll(async () => {
    await Promise.all(served.map((one) => one.stop()));
  });

  describe('drop-in', () => {
    it('unset: destroy ends the session where a handler gives it up, and no other by its public id', async () => {
      const genid: session.SessionOptions['genid'] = ({ headers }) => [headers['x-id']].flat()[0] ?? createToken();
      const app = await serve({}, { unset: 'destroy', genid }, (application, store) => {
        pages(application, store);
        application.get('/give-up', (request, response) => {
          request.session = null as never;
          response.send('gone');
        });
      });
      const visitor = new Visitor(app);
      await visitor.text('/set/name/ada');
      const id = sessionOf(tokenIn(visitor.cookie));
      const cookie = EXPRESS.cookies.sign(id);
      for (const headers of [{ cookie }, { 'x-id': id }, { 'x-id': id, cookie }]) {
        expect(await (await fetch(`${app.url}/give-up`, { headers })).text()).toBe('gone');
      }
      expect(await visitor.json('/fields')).toEqual({ name: 'ada' });
      expect(app.errors).toEqual([]);
      expect(await visitor.text('/give-up')).toBe('gone');
      expect(await app.store.get(tokenIn(visitor.cookie))).toBeNull();
    });

    it('reload within a request', async () => {
      const app = await serve({}, {}, (application, store) => {
        pages(application, store);
        application.get('/reload', (request, response, next) => {
          fieldsIn(request).name = 'forgotten';
          request.session.reload((error) => (error ? next(error) : response.json(fieldsOf(request.session))));
        });
      });
      const visitor = new Visitor(app);
      await visitor.text('/set/name/ada');
      expect(await visitor.json('/reload')).toEqual({ name: 'ada' });
    });

    it.each([
      [false, 0],
      [true, 1],
    ])('saveUninitialized %s: %i cookie for a visit that stores nothing', async (saveUninitialized, cookies) => {
      const app = await serve({ namespace: `un${cookies}` }, { saveUninitialized });
      const visitor = new Visitor(app);
      expect(await visitor.json('/fields')).toEqual({});
      expect(visitor.cookiesSet).toBe(cookies);
      expect(await app.store.length()).toBe(cookies);
      expect(await visitor.json('/fields')).toEqual({});
      expect(visitor.cookiesSet).toBe(cookies);
    });

    it('resave: true works too', async () => {
      const visitor = new Visitor(await serve({}, { resave: true, rolling: true, cookie: { maxAge: 60_000 } }));
      await visitor.text('/set/name/ada');
      for (let i = 0; i < 3; i += 1) expect(await visitor.json('/fields')).toEqual({ name: 'ada' });
    });

    it('a session that other code saved, without a cookie, is served', async () => {
      const app = await serve();
      const visitor = new Visitor(app);
      await visitor.text('/set/name/ada');
      const token = tokenIn(visitor.cookie);
      await app.store.data.save(token, { name: 'from a job' });
      expect(await visitor.json('/fields')).toEqual({ name: 'from a job' });
      await visitor.text('/set/more/1');
      expect(await visitor.json('/fields')).toEqual({ name: 'from a job', more: '1' });
    });

    it('a session that was set through the store without a cookie is an error of the one who did it', async () => {
      const app = await serve();
      const visitor = new Visitor(app);
      await visitor.text('/set/name/ada');
      const token = tokenIn(visitor.cookie);
      await app.store.set(token, { name: 'from elsewhere' } as never);
      // As with express-session's own store; its suite asks for it. `store.data.save` is for code without cookies.
      expect((await visitor.get('/fields')).status).toBe(500);
      expect(await app.store.get(token)).toMatchObject({ name: 'from elsewhere', cookie: null });
    });

    it('a handler that ends twice, or fails after its answer, has answered with the first', async () => {
      const app = await serve({}, { cookie: { maxAge: 600_000 } }, (application, store) => {
        pages(application, store);
        application.get('/send-and-end', (request, response) => {
          fieldsIn(request).changed = Math.random();
          response.send('the first');
          response.end();
        });
        application.get('/send-twice', (request, response) => {
          fieldsIn(request).changed = Math.random();
          response.end('the first');
          response.end('another');
        });
        application.get('/send-and-throw', (request, response) => {
          fieldsIn(request).changed = Math.random();
          response.send('the first');
          throw new Error('after the answer');
        });
        application.get('/send-and-spoil', (request, response) => {
          fieldsIn(request).changed = Math.random();
          response.send('the first');
          fieldsIn(request).spoilt = 1n;
        });
        application.get('/send-and-leave', (request, response) => {
          fieldsIn(request).changed = Math.random();
          response.send('the first');
          request.session = undefined as never;
        });
      });
      const visitor = new Visitor(app);
      await visitor.text('/set/name/ada');
      for (const path of ['/send-and-end', '/send-twice', '/send-and-throw', '/send-and-spoil', '/send-and-leave']) {
        const response = await visitor.get(path);
        expect([path, response.status, await response.text()]).toEqual([path, 200, 'the first']);
      }
      expect(await visitor.json('/fields')).toMatchObject({ name: 'ada' });
    });

    it('what other code saves leaves the cookie, and the time that it gives, as they are', async () => {
      const app = await serve({}, { cookie: { maxAge: 600_000 } });
      const visitor = new Visitor(app);
      await visitor.text('/set/name/ada');
      const token = tokenIn(visitor.cookie);
      const before = (await app.store.data.load(token))!;
      await app.store.data.save(token, { name: 'from a job' });
      const after = (await app.store.data.load(token))!;
      expect(recordOf(after).fields.get('cookie')).toBe(recordOf(before).fields.get('cookie'));
      expect(recordOf(after).header.cookieExpiresAt).toBe(recordOf(before).header.cookieExpiresAt);
      expect(app.store.data.infoOf(after).expiresAt).toBeLessThanOrEqual(app.store.data.now() + 660_000);
    });

    it('fields of names that express-session uses itself stay, unseen, and make no request a change', async () => {
      const app = await serve();
      const visitor = new Visitor(app);
      await visitor.text('/set/name/ada');
      const token = tokenIn(visitor.cookie);
      const odd = { id: 'mine', req: 'r', save: 's', constructor: 'c', touch: 't', length: 3, info: 'i' };
      const loaded = (await app.store.data.load(token))!;
      await app.store.data.save(token, { ...app.store.data.valuesOf(loaded), ...odd }, loaded);
      const { version } = app.store.data.infoOf((await app.store.data.load(token))!);
      expect(await visitor.json('/fields')).toEqual({ name: 'ada', length: 3, info: 'i' });
      expect(app.store.data.infoOf((await app.store.data.load(token))!).version).toBe(version);
      await visitor.text('/set/name/grace');
      const kept = app.store.data.valuesOf((await app.store.data.load(token))!);
      expect(fieldsOf(kept)).toEqual({ name: 'grace', ...odd });
    });
  });

  describe('values that cannot be stored', () => {
    const bad: SetUp = (app, store) => {
      pages(app, store);
      const values: Record<string, () => unknown> = {
        bigint: () => 1n,
        within: () => ({ deep: [1n] }),
        circle: () => {
          const one: { self?: object } = {};
          one.self = one;
          return one;
        },
        throwing: () => ({
          toJSON() {
            throw new Error('no JSON of me');
          },
        }),
      };
      app.get('/bad/:kind', (request, response) => {
        fieldsIn(request).good = 'kept?';
        fieldsIn(request).culprit = values[request.params.kind]!();
        response.send('never');
      });
      app.get('/bad-async/:kind', async (request, response) => {
        await Promise.resolve();
        fieldsIn(request).name = values[request.params.kind]!();
        response.json({ never: true });
      });
    };

    // The conformance suite has all kinds of values, in asynchronous handlers.
    it.each(['bigint', 'circle'])(
      '%s in a synchronous handler: 500 with the name of the field, and nothing is lost',
      async (kind) => {
        const app = await serve({}, {}, bad);
        const stranger = await new Visitor(app).get(`/bad/${kind}`);
        expect(stranger.status).toBe(500);
        expect(await stranger.text()).toMatch(/"culprit"/);

        const visitor = new Visitor(app);
        await visitor.text('/set/name/ada');
        for (const path of [`/bad/${kind}`, `/bad-async/${kind}`]) {
          const response = await visitor.get(path);
          expect(response.status).toBe(500);
          expect(await response.text()).toMatch(/"culprit"|"name"/);
          expect(await visitor.json('/fields')).toMatchObject({ name: 'ada' });
        }
        expect(app.errors.map((error) => (error as Error & { code?: string }).code)).toEqual(
          Array.from({ length: 3 }, () => 'SESSION_NOT_SERIALISABLE'),
        );
        expect(await visitor.json('/fields')).not.toHaveProperty('culprit');
      },
    );
  });

  describe('time', () => {
    it('the cookie never outlives the absolute end, and the next request counts from its whole maxAge', async () => {
      const app = await serve({ absoluteMs: 60_000 }, { rolling: true, cookie: { maxAge: 3_600_000 } });
      const visitor = new Visitor(app);
      await visitor.text('/set/name/ada');
      const { createdAt } = (await visitor.json('/info')) as { createdAt: number };
      for (const path of ['/fields', '/set/name/grace', '/info']) {
        await visitor.get(path);
        const expires = new Date(/Expires=([^;]+)/.exec(visitor.lastSetCookie)![1]!).getTime();
        expect(expires).toBeLessThanOrEqual(createdAt + 60_000);
        expect(expires).toBeGreaterThan(createdAt + 50_000);
      }
      expect(visitor.cookiesSet).toBe(5);
      const { cookie } = (await app.store.get(tokenIn(visitor.cookie)))!;
      // express-session reads it off two clock readings, so a millisecond may be missing.
      expect(cookie.originalMaxAge).toBeGreaterThan(3_600_000 - 100);
    });

    it('the first cookie does not either', async () => {
      const app = await serve({ absoluteMs: 60_000 }, { cookie: { maxAge: 3_600_000 } });
      const visitor = new Visitor(app);
      await visitor.text('/set/name/ada');
      const expires = new Date(/Expires=([^;]+)/.exec(visitor.lastSetCookie)![1]!).getTime();
      const { createdAt } = (await visitor.json('/info')) as { createdAt: number };
      // What was saved a moment after the cookie was written ends that moment later.
      expect(expires).toBeLessThanOrEqual(createdAt + 60_000);
    });

    it('a session ends by its cookie; without maxAge the cookie is one of the browser session', async () => {
      const app = await serve({}, { cookie: { maxAge: 600_000 } });
      const visitor = new Visitor(app);
      await visitor.text('/set/name/ada');
      const { expiresAt, createdAt } = (await visitor.json('/info')) as { expiresAt: number; createdAt: number };
      expect(expiresAt - createdAt).toBeGreaterThan(590_000);
      expect(expiresAt - createdAt).toBeLessThanOrEqual(660_000);
      const plain = new Visitor(await serve());
      await plain.text('/set/name/ada');
      expect(plain.lastSetCookie).not.toMatch(/Expires/);
    });

    it('a clock that ticks between two readings shortens no maxAge, and makes no request a change', async () => {
      const app = await serve({}, { cookie: { maxAge: 600_000 } });
      const visitor = new Visitor(app);
      await visitor.text('/set/name/ada');
      const before = (await app.store.data.load(tokenIn(visitor.cookie)))!;
      const real = Date.now.bind(Date);
      let readings = 0;
      const clock = vi.spyOn(Date, 'now').mockImplementation(() => {
        readings += 1;
        return real() + readings;
      });
      try {
        for (let i = 0; i < 5; i += 1) await visitor.json('/fields');
      } finally {
        clock.mockRestore();
      }
      const after = (await app.store.data.load(tokenIn(visitor.cookie)))!;
      expect(recordOf(after).fields.get('cookie')).toBe(recordOf(before).fields.get('cookie'));
      expect(app.store.data.infoOf(after).version).toBe(app.store.data.infoOf(before).version);
    });
  });
});
