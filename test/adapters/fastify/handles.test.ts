import { afterEach, beforeEach, expect, it } from 'vitest';
import { SessionClient, sessionOf } from '../../../src/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { fieldsOf, openSite, type Site } from './fastify-stage.ts';

/* As in the test of the same name for Express. */

let server: TestRedis;
let client: SessionClient;
let site: Site;

beforeEach(async () => {
  server = await startTestRedis();
  client = new SessionClient({ redis: 'unix:///nowhere/redis.sock' });
  site = await openSite({
    store: { redis: server.url, fail: 'open', deadlineMs: 1_000 },
    plugin: { client },
    routes: (app, store) => {
      app.get('/rotate', async (request) => {
        await store.rotate(request, { grace: Object.hasOwn(request.query as object, 'grace') });
        return {};
      });
      app.get('/handle', async (request) => ({
        user: fieldsOf(request).user,
        handle: request.sessionwise?.id,
        degraded: store.isDegraded(request),
      }));
    },
  });
});
afterEach(async () => {
  server.kill('SIGCONT');
  await site.close();
  await client.close();
  await server.stop();
});

it('within a grace the previous secret has no handle, and the current one has', async () => {
  const browser = site.browser();
  await browser.get('/login/ada');
  const session = sessionOf(browser.token);
  const old = site.browser(browser.cookie);
  expect((await old.get('/handle')).body).toMatchObject({ handle: session });
  await browser.get('/rotate?grace');
  expect((await old.get('/handle')).body).toEqual({ user: 'ada', degraded: false });
  expect((await browser.get('/handle')).body).toMatchObject({ user: 'ada', handle: session });
});

it('nor has a secret that nobody could check, while the store is away', async () => {
  const browser = site.browser();
  await browser.get('/login/ada');
  const old = site.browser(browser.cookie);
  await browser.get('/rotate');
  server.kill('SIGSTOP');
  expect((await old.get('/handle')).body).toEqual({ degraded: true });
  expect((await browser.get('/handle')).body).toEqual({ degraded: true });
});
