import { afterEach, describe, expect, it } from 'vitest';
import type { DegradedOperation } from '../../../src/adapters/fastify/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { type Browser, fieldsOf, Gate, openSite, type Site, type SiteOptions } from './fastify-stage.ts';

const DEADLINE_MS = 400;
const USERS = 20;

// What a test restarts must find the data of before.
const server = useRedis({ eachTest: 'new', persistence: true });
let site: Site;
let users: Browser[];

afterEach(async () => {
  server.kill('SIGCONT');
  await site?.close();
});

/** A site with logged-in users, and with routes that end sessions. */
async function open(fail: 'closed' | 'open', options: Partial<SiteOptions> = {}): Promise<void> {
  site = await openSite({
    ...options,
    store: { redis: server.url, deadlineMs: DEADLINE_MS, fail, ...options.store },
    routes: (app, store) => {
      app.get('/regenerate', async (request) => {
        await request.session.regenerate();
        return {};
      });
      app.get('/regenerate-callback', (request, reply) => {
        request.session.regenerate((error) => {
          void reply.code(error ? 503 : 200).send({ token: request.session.sessionId });
        });
      });
      app.get('/change', async (request) => {
        fieldsOf(request).changed = true;
        return {};
      });
      app.get('/count', async (request) => ({ count: await store.increment(request, 'count') }));
      app.get('/rotate', async (request) => {
        await store.rotate(request);
        return {};
      });
      options.routes?.(app, store);
    },
  });
  users = Array.from({ length: USERS }, () => site.browser());
  await waitUntil('the store is up', async () => (await site.browser().get('/me')).status === 200);
  for (const [i, browser] of users.entries()) {
    expect(await browser.get(`/login/user${i}`)).toMatchObject({ status: 200 });
  }
}

async function expectAllLoggedIn(): Promise<void> {
  await waitUntil('the store is up again', async () => {
    const { status, body } = await site.browser(users[0]!.cookie).get('/me');
    return status === 200 && body.degraded === false;
  });
  const bodies = await Promise.all(users.map(async (browser) => (await browser.get('/me')).body));
  expect(bodies.map(({ user }) => user)).toEqual(users.map((_, i) => `user${i}`));
  expect(bodies.some(({ degraded }) => degraded)).toBe(false);
}

/** Each way in which Redis goes away, and how it comes back. */
const OUTAGES: [string, () => void, () => Promise<void> | void][] = [
  ['frozen', () => server.kill('SIGSTOP'), () => server.kill('SIGCONT')],
  ['killed', () => server.kill('SIGKILL'), () => server.restart()],
];

describe.each(OUTAGES)('a store that fails closed, and its Redis is %s', (_, goAway, comeBack) => {
  it('answers 503 in time, replaces no cookie, and everybody is logged in afterwards', async () => {
    await open('closed');
    const told: string[] = [];
    site.store.on('store:down', () => told.push('down'));
    site.store.on('store:up', () => told.push('up'));
    goAway();
    const cookies = users.map(({ cookie }) => cookie);
    for (const path of ['/me', '/change', '/regenerate', '/regenerate-callback', '/rotate', '/logout', '/count']) {
      const began = performance.now();
      const answers = await Promise.all(users.map((browser) => browser.get(path)));
      expect(performance.now() - began).toBeLessThan(DEADLINE_MS * 3 + 3_000);
      for (const { status, body, setCookies } of answers) {
        expect(status).toBe(503);
        expect(body).toMatchObject({ code: 'STORE_UNAVAILABLE', statusCode: 503 });
        expect(setCookies).toEqual([]);
      }
    }
    await comeBack();
    await expectAllLoggedIn();
    expect(users.map(({ cookie }) => cookie)).toEqual(cookies);
    expect(told).toEqual(['down', 'up']);
  });
});

describe.each(OUTAGES)('a store that fails open, and its Redis is %s', (_, goAway, comeBack) => {
  it('gives empty sessions that save nothing and set no cookie, and everybody is logged in afterwards', async () => {
    await open('open');
    const degraded: DegradedOperation['operation'][] = [];
    site.store.on('degraded', ({ operation, error }) => {
      expect(error.code).toBe('STORE_UNAVAILABLE');
      degraded.push(operation);
    });
    goAway();
    const cookies = users.map(({ cookie }) => cookie);
    for (const browser of users) {
      expect(await browser.get('/me')).toMatchObject({ status: 200, body: { degraded: true }, setCookies: [] });
    }
    expect(degraded).toEqual(users.map(() => 'get'));
    expect(await users[0]!.get('/change')).toMatchObject({ status: 200, setCookies: [] });
    expect(await users[0]!.get('/login/eve')).toMatchObject({ status: 200, setCookies: [] });
    for (const path of ['/regenerate', '/regenerate-callback', '/rotate', '/logout', '/count']) {
      const { status, setCookies } = await users[1]!.get(path);
      expect(status).toBe(503);
      expect(setCookies).toEqual([]);
    }
    await comeBack();
    await expectAllLoggedIn();
    expect(users.map(({ cookie }) => cookie)).toEqual(cookies);
    const { changed } = site.store.data.valuesOf((await site.store.data.load(users[0]!.token))!) as {
      changed?: boolean;
    };
    expect(changed).toBeUndefined();
  });
});

describe('an outage that begins in the middle of a request', () => {
  it.each(['closed', 'open'] as const)(
    'leaves the request its session where the old one cannot be ended (%s)',
    async (fail) => {
      const gate = new Gate();
      const outcomes: unknown[] = [];
      await open(fail, {
        routes: (app) => {
          app.get('/slow-regenerate', async (request) => {
            const before = request.session;
            await gate.pass();
            const error = await request.session.regenerate().catch((reason: unknown) => reason);
            outcomes.push((error as { code?: string }).code, request.session === before, fieldsOf(request).user);
            return {};
          });
        },
      });
      const [browser] = users;
      const { cookie } = browser!;
      const answer = browser!.get('/slow-regenerate');
      await gate.reached;
      const frozenAt = performance.now();
      server.kill('SIGSTOP');
      gate.open();
      await answer;
      expect(outcomes).toEqual(['STORE_UNAVAILABLE', true, 'user0']);
      expect(browser!.cookie).toBe(cookie);
      // What was sent in vain is still on its way; it is not done so long after its deadline.
      await waitUntil('the deadline is long over', () => performance.now() > frozenAt + 3 * DEADLINE_MS);
      server.kill('SIGCONT');
      await expectAllLoggedIn();
    },
  );

  it('ends no session that the request has not seen, even when Redis is back by then (open)', async () => {
    const gate = new Gate();
    await open('open', {
      routes: (app) => {
        app.get('/slow-end', async (request) => {
          await gate.pass();
          await request.session.regenerate();
          return {};
        });
      },
    });
    server.kill('SIGSTOP');
    const answer = users[0]!.get('/slow-end');
    await gate.reached;
    server.kill('SIGCONT');
    await waitUntil('the store is up again', async () => (await users[1]!.get('/me')).body.user === 'user1');
    gate.open();
    expect(await answer).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE' }, setCookies: [] });
    await expectAllLoggedIn();
  });

  it.each(['closed', 'open'] as const)(
    'loses no data where reload fails, and the error is caught (%s)',
    async (fail) => {
      const gate = new Gate();
      const back = new Gate();
      await open(fail, {
        routes: (app, store) => {
          app.get('/slow-reload', async (request) => {
            await gate.pass();
            const error = await request.session.reload().catch((reason: unknown) => reason);
            await back.pass();
            fieldsOf(request).lost = true;
            await request.session.save();
            const refused = await Promise.all(
              [store.increment(request, 'lost'), store.rotate(request), store.identify(request, 'eve')].map((work) =>
                work.catch(({ code }: { code: string }) => code),
              ),
            );
            return { failed: error instanceof Error, degraded: store.isDegraded(request), refused };
          });
        },
      });
      const [browser] = users;
      const { cookie } = browser!;
      const answer = browser!.get('/slow-reload');
      await gate.reached;
      server.kill('SIGSTOP');
      gate.open();
      await back.reached;
      server.kill('SIGCONT');
      await expectAllLoggedIn();
      back.open();
      const refused = ['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'];
      expect(await answer).toMatchObject({ status: 200, setCookies: [] });
      expect((await answer).body).toEqual({ failed: fail === 'closed', degraded: true, refused });
      expect(browser!.cookie).toBe(cookie);
      await expectAllLoggedIn();
      expect(site.store.data.valuesOf((await site.store.data.load(browser!.token))!)).not.toHaveProperty('lost');
    },
  );

  it('answers 503 where changes cannot be saved, and the session is what it was', async () => {
    const gate = new Gate();
    await open('closed', {
      routes: (app) => {
        app.get('/slow-change', async (request) => {
          await gate.pass();
          fieldsOf(request).user = 'eve';
          return {};
        });
      },
    });
    const answer = users[0]!.get('/slow-change');
    await gate.reached;
    server.kill('SIGKILL');
    gate.open();
    expect(await answer).toMatchObject({ status: 503, setCookies: [] });
    await server.restart();
    await expectAllLoggedIn();
  });
});
