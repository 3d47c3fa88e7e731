import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SessionInfo, SessionStoreOptions } from '../../../src/adapters/express/index.ts';
import { sessionOf } from '../../../src/protocol/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';
import {
  fieldsIn,
  fieldsOf,
  type ServedStore,
  type SetUp,
  serveStore,
  tokenIn,
  Visitor,
} from './session-store-stage.suite.ts';

/** A request that waits in its handler until it is let go. */
class Gate {
  readonly #arrived: Promise<void>;
  readonly #opened: Promise<void>;
  #arrive: () => void = () => undefined;
  #open: () => void = () => undefined;

  constructor() {
    this.#arrived = new Promise((resolve) => {
      this.#arrive = resolve;
    });
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** For the handler. */
  pass(): Promise<void> {
    this.#arrive();
    return this.#opened;
  }

  /** For the test: the handler is there. */
  arrived(): Promise<void> {
    return this.#arrived;
  }

  open(): void {
    this.#open();
  }
}

describe('rotation in Express', () => {
  let server: TestRedis;
  let gate = new Gate();
  const served: ServedStore[] = [];

  const pages: SetUp = (app) => {
    app.get('/set/:name/:value', (request, response) => {
      fieldsIn(request)[request.params.name] = request.params.value;
      response.send('set');
    });
    app.get('/fields', (request, response) => {
      response.json(fieldsOf(request.session));
    });
    app.get('/info', (request, response) => {
      response.json(request.session.info() ?? null);
    });
    app.get('/rotate', async (request, response) => {
      await request.session.rotate({ grace: 'grace' in request.query });
      response.json(true);
    });
    app.get('/slow/:name', async (request, response) => {
      await gate.pass();
      fieldsIn(request)[request.params.name] = 'by the slow one';
      response.send('at last');
    });
    app.get('/slow-read', async (request, response) => {
      await gate.pass();
      response.json(fieldsOf(request.session));
    });
    app.get('/slow-stream', async (request, response) => {
      await gate.pass();
      fieldsIn(request).streamed = 1;
      response.write('at ');
      response.end('last');
    });
    app.get('/login', async (request, response) => {
      const { session } = request;
      await session.rotate();
      Object.assign(session, { user: 'ada' });
      response.json(request.session !== session && Object.keys(request.session).includes('user'));
    });
    app.get('/regenerate', (request, response, next) => {
      request.session.regenerate((error) => {
        if (error) return next(error);
        fieldsIn(request).fresh = 1;
        response.send('regenerated');
      });
    });
    app.get('/logout', (request, response, next) => {
      request.session.destroy((error) => (error ? next(error) : response.send('bye')));
    });
  };
  const serve = async (
    options: Partial<SessionStoreOptions> = {},
    sessionOptions: Parameters<typeof serveStore>[1] = {},
    setUp: SetUp = pages,
  ): Promise<ServedStore> => {
    const one = await serveStore({ redis: server.url, ...options }, sessionOptions, setUp);
    served.push(one);
    return one;
  };
  /** A visitor whose session is saved. */
  const visit = async (app: ServedStore): Promise<Visitor> => {
    const visitor = new Visitor(app);
    await visitor.text('/set/name/ada');
    return visitor;
  };

  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(async () => {
    await Promise.all(served.map((one) => one.stop()));
    await server.stop();
  });

  test('the cookie is replaced once; session and data stay', async () => {
    const visitor = await visit(await serve());
    const before = (await visitor.json('/info')) as SessionInfo;
    const { cookie } = visitor;
    expect(await visitor.json('/rotate')).toBe(true);
    expect(visitor.cookiesSet).toBe(2);
    expect(visitor.cookie).not.toBe(cookie);
    const after = (await visitor.json('/info')) as SessionInfo;
    expect(after.session).toBe(before.session);
    expect(after.createdAt).toBe(before.createdAt);
    expect(sessionOf(tokenIn(visitor.cookie))).toBe(before.session);
    expect(await visitor.json('/fields')).toEqual({ name: 'ada' });
    expect(visitor.cookiesSet).toBe(2);
  });

  test('a new visitor can be rotated at once', async () => {
    const visitor = new Visitor(await serve());
    expect(await visitor.json('/login')).toBe(true);
    expect(visitor.cookiesSet).toBe(1);
    expect(await visitor.json('/fields')).toEqual({ user: 'ada' });
  });

  test('what is set on the object from before reaches the session', async () => {
    const visitor = await visit(await serve());
    expect(await visitor.json('/login')).toBe(true);
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', user: 'ada' });
  });

  test('the object from before saves, reloads and destroys what it has become', async () => {
    const app = await serve({}, {}, (application, store) => {
      pages(application, store);
      application.get('/old/:method', async (request, response, next) => {
        const { session } = request;
        fieldsIn(request).before = 1;
        await session.rotate();
        (session as unknown as Record<string, unknown>).after = 1;
        const method = request.params.method as 'save' | 'reload' | 'destroy';
        session[method]((error: unknown) => {
          if (error) return next(error);
          store.get(request.sessionID).then((values) => response.json(values && fieldsOf(values)), next);
        });
      });
    });
    const visitor = await visit(app);
    expect(await visitor.json('/old/save')).toEqual({ name: 'ada', before: 1, after: 1 });
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', before: 1, after: 1 });
    const { cookie } = visitor;
    await visitor.json('/old/reload');
    expect(visitor.cookie).not.toBe(cookie);
    expect(await visitor.json('/fields')).toMatchObject({ name: 'ada' });
    expect(await visitor.json('/old/destroy')).toBeNull();
    expect(await visitor.json('/fields')).toEqual({});
  });

  test('two rotations in one request: one cookie, one session', async () => {
    const app = await serve({}, {}, (application, store) => {
      pages(application, store);
      application.get('/twice', async (request, response) => {
        await request.session.rotate();
        await request.session.rotate();
        fieldsIn(request).twice = true;
        response.json(true);
      });
    });
    const visitor = await visit(app);
    expect(await visitor.json('/twice')).toBe(true);
    expect(visitor.cookiesSet).toBe(2);
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', twice: true });
  });

  test.each(['', '?grace'])(
    'two rotations%s in one request: what comes with the cookie of before takes no cookie away',
    async (query) => {
      const app = await serve({}, { rolling: true }, (application, store) => {
        pages(application, store);
        application.get('/twice', async (request, response) => {
          const grace = 'grace' in request.query;
          await request.session.rotate({ grace });
          fieldsIn(request).since = 1;
          await request.session.rotate({ grace });
          response.json(true);
        });
      });
      const visitor = await visit(app);
      const old = new Visitor(app, visitor.cookie);
      await visitor.json(`/twice${query}`);
      expect(await old.json('/fields')).toEqual(query ? { name: 'ada' } : {});
      await old.text('/set/name/planted');
      expect(old.cookiesSet).toBe(0);
      expect((await old.get('/rotate')).status).toBe(query ? 409 : 200);
      expect(await visitor.json('/fields')).toEqual({ name: 'ada', since: 1 });
      // In another request the cookie that was sent is the previous one.
      const sent = new Visitor(app, visitor.cookie);
      await visitor.json('/rotate');
      expect(await sent.json('/fields')).toEqual({});
      expect(sent.cookiesSet).toBe(0);
    },
  );

  // With `rolling` each response sets a cookie; with maxAge each one of a changed session.
  const settings = [
    ['rolling', { rolling: true }],
    ['rolling with maxAge', { rolling: true, cookie: { maxAge: 600_000 } }],
    ['maxAge', { cookie: { maxAge: 600_000 } }],
    ['neither', {}],
  ] as const;
  describe.each(settings)('%s', (_, sessionOptions) => {
    test.each(['before', 'after'])(
      'a slow request with the old secret that began %s the rotation gets no cookie, and changes nothing',
      async (when) => {
        gate = new Gate();
        const visitor = await visit(await serve({}, sessionOptions));
        const old = new Visitor(served.at(-1)!, visitor.cookie);
        let slow: Promise<Response> | undefined;
        if (when === 'before') {
          slow = old.getKeepingCookie('/slow/late');
          await gate.arrived();
        }
        expect(await visitor.json('/rotate')).toBe(true);
        const { cookie } = visitor;
        if (when === 'after') {
          slow = old.getKeepingCookie('/slow/late');
          await gate.arrived();
        }
        gate.open();
        const response = await slow!;
        expect(await response.text()).toBe('at last');
        expect(response.headers.getSetCookie()).toEqual([]);
        expect(await visitor.json('/fields')).toEqual({ name: 'ada' });
        expect(tokenIn(visitor.cookie)).toBe(tokenIn(cookie));
      },
    );

    test('nor where another process has rotated', async () => {
      gate = new Gate();
      const [one, other] = [await serve({}, sessionOptions), await serve({}, sessionOptions)];
      const visitor = await visit(one);
      const slow = [
        new Visitor(one, visitor.cookie).getKeepingCookie('/slow/late'),
        new Visitor(one, visitor.cookie).getKeepingCookie('/slow-read'),
      ];
      await gate.arrived();
      const elsewhere = new Visitor(other, visitor.cookie);
      expect(await elsewhere.json('/rotate')).toBe(true);
      gate.open();
      for (const response of await Promise.all(slow)) {
        await response.text();
        expect(response.headers.getSetCookie()).toEqual([]);
      }
      expect(await elsewhere.json('/fields')).toEqual({ name: 'ada' });
    });

    test('a process that has rotated sends cookies again when another has rotated since', async () => {
      const [one, other] = [await serve({}, sessionOptions), await serve({}, sessionOptions)];
      const visitor = await visit(one);
      expect(await visitor.json('/rotate')).toBe(true);
      const elsewhere = new Visitor(other, visitor.cookie);
      expect(await elsewhere.json('/rotate')).toBe(true);
      const back = new Visitor(one, elsewhere.cookie);
      const response = await back.get('/set/color/blue');
      // Without an age and without `rolling`, a cookie is set only where a session begins.
      const expected = Object.keys(sessionOptions).length > 0 ? 1 : 0;
      expect([await response.text(), response.headers.getSetCookie().length]).toEqual(['set', expected]);
    });

    test('a streamed answer in the process that rotated gets none either', async () => {
      gate = new Gate();
      const app = await serve({}, sessionOptions);
      const visitor = await visit(app);
      const slow = new Visitor(app, visitor.cookie).getKeepingCookie('/slow-stream');
      await gate.arrived();
      await visitor.json('/rotate');
      gate.open();
      const response = await slow;
      expect(await response.text()).toBe('at last');
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(await visitor.json('/fields')).toEqual({ name: 'ada' });
    });

    test('without a rotation everybody gets the cookies that express-session sets', async () => {
      const visitor = await visit(await serve({}, sessionOptions));
      const { cookiesSet } = visitor;
      await visitor.json('/fields');
      const isRolling = 'rolling' in sessionOptions;
      expect(visitor.cookiesSet - cookiesSet).toBe(isRolling ? 1 : 0);
      await visitor.text('/set/name/grace');
      const changedSets = isRolling || 'cookie' in sessionOptions;
      expect(visitor.cookiesSet - cookiesSet).toBe((isRolling ? 1 : 0) + (changedSets ? 1 : 0));
    });
  });

  test('with a grace the old secret reads what was there before, changes nothing and gets no cookie', async () => {
    const app = await serve({}, { rolling: true });
    const visitor = await visit(app);
    const old = new Visitor(app, visitor.cookie);
    await visitor.json('/rotate?grace');
    await visitor.text('/set/since/secret');
    expect(await old.json('/fields')).toEqual({ name: 'ada' });
    expect(((await old.json('/info')) as SessionInfo).byPreviousSecret).toBe(true);
    expect(await old.text('/set/name/planted')).toBe('set');
    expect((await old.get('/rotate')).status).toBe(409);
    expect((await old.get('/logout')).status).toBe(409);
    expect(old.cookiesSet).toBe(0);
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', since: 'secret' });
  });

  test('once the headers are sent it is refused, and the visitor stays who they are', async () => {
    const outcomes: unknown[] = [];
    const app = await serve({}, {}, (application, store) => {
      pages(application, store);
      application.get('/too-late', async (request, response) => {
        response.write('at ');
        outcomes.push(await request.session.rotate().catch((error: Error) => error));
        response.end('last');
      });
    });
    const visitor = await visit(app);
    expect(await visitor.text('/too-late')).toBe('at last');
    expect(outcomes).toEqual([expect.any(TypeError)]);
    expect(await visitor.json('/fields')).toEqual({ name: 'ada' });
  });

  test('with a grace the old secret is told no user, by whom it could ask for what is there now', async () => {
    const app = await serve({}, {}, (application, store) => {
      pages(application, store);
      application.get('/identify', async (request, response) => {
        await request.session.identify('ada');
        response.json(true);
      });
      application.get('/devices', async (request, response) => {
        const userId = request.session.info()?.userId;
        response.json(userId === undefined ? null : (await store.data.sessionsOf(userId)).length);
      });
    });
    const visitor = await visit(app);
    await visitor.json('/identify');
    const old = new Visitor(app, visitor.cookie);
    expect(await old.json('/devices')).toBe(1);
    await visitor.json('/rotate?grace');
    expect(await old.json('/devices')).toBeNull();
    expect(await old.json('/fields')).toEqual({ name: 'ada' });
    expect(await visitor.json('/devices')).toBe(1);
  });

  test.each(['before', 'after', 'in the grace of'])(
    'a logout by a request that came %s the rotation says that it ended nothing',
    async (when) => {
      gate = new Gate();
      const app = await serve({}, {}, (application, store) => {
        pages(application, store);
        application.get('/slow-logout', async (request, response, next) => {
          await gate.pass();
          request.session.destroy((error) => (error ? next(error) : response.send('bye')));
        });
      });
      const visitor = await visit(app);
      const old = new Visitor(app, visitor.cookie);
      const slow = when === 'before' ? old.getKeepingCookie('/slow-logout') : undefined;
      if (slow) await gate.arrived();
      await visitor.json(when === 'in the grace of' ? '/rotate?grace' : '/rotate');
      gate.open();
      const response = await (slow ?? old.getKeepingCookie('/logout'));
      expect([response.status, response.headers.getSetCookie()]).toEqual([409, []]);
      expect(app.errors.at(-1)).toMatchObject({ code: 'SESSION_GONE' });
      expect(await visitor.json('/fields')).toEqual({ name: 'ada' });
      expect(await visitor.text('/logout')).toBe('bye');
      expect(await visitor.json('/fields')).toEqual({});
      // By then the token is nobody's, and to log out twice is no error.
      expect(await visitor.text('/logout')).toBe('bye');
    },
  );

  test('a rotation by a request that another one has overtaken fails, and the visitor stays who they are', async () => {
    gate = new Gate();
    const app = await serve({}, {}, (application, store) => {
      pages(application, store);
      application.get('/slow-rotate', async (request, response) => {
        await gate.pass();
        await request.session.rotate();
        response.json(true);
      });
    });
    const visitor = await visit(app);
    const slow = new Visitor(app, visitor.cookie).getKeepingCookie('/slow-rotate');
    await gate.arrived();
    await visitor.json('/rotate');
    gate.open();
    const response = await slow;
    expect([response.status, response.headers.getSetCookie()]).toEqual([409, []]);
    expect(await visitor.json('/fields')).toEqual({ name: 'ada' });
  });

  test('when it is no longer remembered the old cookie is a stranger: a new session, no error', async () => {
    const app = await serve({ graceMs: 150 });
    const visitor = await visit(app);
    const old = new Visitor(app, visitor.cookie);
    await visitor.json('/rotate');
    await waitUntil('that', async () => (await app.store.data.find(tokenIn(old.cookie))) === undefined);
    expect(await old.json('/fields')).toEqual({});
    await old.text('/set/name/stranger');
    expect(old.cookiesSet).toBe(1);
    expect(sessionOf(tokenIn(old.cookie))).not.toBe(sessionOf(tokenIn(visitor.cookie)));
    expect(await visitor.json('/fields')).toEqual({ name: 'ada' });
  });

  test.each(['before', 'after', 'in the grace of'])(
    'regenerate by a request that came %s the rotation: a session of its own',
    async (when) => {
      gate = new Gate();
      const app = await serve({}, {}, (application, store) => {
        pages(application, store);
        application.get('/slow-regenerate', async (request, response, next) => {
          await gate.pass();
          request.session.regenerate((error) => {
            if (error) return next(error);
            fieldsIn(request).fresh = 1;
            response.send('regenerated');
          });
        });
      });
      const visitor = await visit(app);
      const old = new Visitor(app, visitor.cookie);
      if (when !== 'before') gate.open();
      const slow = when === 'before' ? old.text('/slow-regenerate') : undefined;
      if (slow) await gate.arrived();
      await visitor.json(when === 'in the grace of' ? '/rotate?grace' : '/rotate');
      // Others come with the old secret meanwhile.
      await new Visitor(app, old.cookie).getKeepingCookie('/fields');
      gate.open();
      expect(await (slow ?? old.text('/slow-regenerate'))).toBe('regenerated');
      expect(old.cookiesSet).toBe(1);
      expect(await old.json('/fields')).toEqual({ fresh: 1 });
      expect(await visitor.json('/fields')).toEqual({ name: 'ada' });
    },
  );

  test('20 logins at once by one cookie: each that succeeds has a session that holds what it set', async () => {
    const app = await serve({}, { rolling: true }, (application, store) => {
      pages(application, store);
      application.get('/rotate-and-set/:i', async (request, response) => {
        await request.session.rotate();
        fieldsIn(request)[`f${request.params.i}`] = 1;
        response.json(true);
      });
    });
    const visitor = await visit(app);
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, i) => new Visitor(app, visitor.cookie).getKeepingCookie(`/rotate-and-set/${i}`)),
    );
    const owned: unknown[] = [];
    for (const [i, response] of responses.entries()) {
      await response.text();
      const cookies = response.headers.getSetCookie();
      expect([response.status, cookies.length]).toEqual(response.ok ? [200, 1] : [409, 0]);
      if (!response.ok) continue;
      const fields = (await new Visitor(app, cookies[0]!.split(';')[0]).json('/fields')) as Record<string, unknown>;
      expect(fields[`f${i}`]).toBe(1);
      if (fields.name === 'ada') owned.push(i);
    }
    // The session of before is one login's, and no other's.
    expect(owned).toHaveLength(1);
  });
});
