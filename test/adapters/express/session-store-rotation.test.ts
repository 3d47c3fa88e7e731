import { afterAll, describe, expect, it } from 'vitest';
import type { SessionStoreOptions } from '../../../src/adapters/express/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { Gate } from '../suite/adapter-site.ts';
import { fieldsIn, fieldsOf, type ServedStore, type SetUp, serveStore, Visitor } from './session-store-stage.suite.ts';

describe('rotation in Express', () => {
  const server = useRedis({ eachTest: 'kept' });
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
    app.get('/rotate', async (request, response) => {
      await request.session.rotate({ grace: 'grace' in request.query });
      response.json(true);
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
  afterAll(async () => {
    await Promise.all(served.map((one) => one.stop()));
  });

  it('what is set on the object from before reaches the session', async () => {
    const visitor = await visit(await serve());
    expect(await visitor.json('/login')).toBe(true);
    expect(await visitor.json('/fields')).toEqual({ name: 'ada', user: 'ada' });
  });

  it('the object from before saves, reloads and destroys what it has become', async () => {
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

  // With `rolling` each response sets a cookie; with maxAge each one of a changed session.
  it.each([
    ['rolling', { rolling: true }],
    ['rolling with maxAge', { rolling: true, cookie: { maxAge: 600_000 } }],
    ['maxAge', { cookie: { maxAge: 600_000 } }],
    ['neither', {}],
  ] as const)('a slow streamed answer in the process that rotated gets no cookie: %s', async (_, sessionOptions) => {
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
});
