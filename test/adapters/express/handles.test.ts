import { afterEach, beforeEach, expect, test } from 'vitest';
import { sessionwise } from '../../../src/adapters/express/index.ts';
import { SessionClient, sessionOf } from '../../../src/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { fieldsIn, type ServedStore, serveStore, tokenIn, Visitor } from './session-store-stage.suite.ts';

/* `request.sessionwise` goes by the session's public id, which each of its tokens begins with. So a page gets it only where
 * the token's secret is the current one. */

let server: TestRedis;
let client: SessionClient;
let site: ServedStore;

beforeEach(async () => {
  server = await startTestRedis();
  client = new SessionClient({ redis: 'unix:///nowhere/redis.sock' });
  site = await serveStore({ redis: server.url, fail: 'open', deadlineMs: 1_000 }, {}, (app) => {
    app.use(sessionwise({ client }));
    app.get('/set/:value', (request, response) => {
      fieldsIn(request).value = request.params.value;
      response.send('set');
    });
    app.get('/rotate', async (request, response) => {
      await request.session.rotate({ grace: 'grace' in request.query });
      response.json(true);
    });
    app.get('/me', (request, response) => {
      const { value } = fieldsIn(request);
      response.json({ value, handle: request.sessionwise?.id, degraded: request.session.isDegraded() });
    });
  });
});
afterEach(async () => {
  server.kill('SIGCONT');
  await site.stop();
  await client.close();
  await server.stop();
});

test('within a grace the previous secret has no handle, and the current one has', async () => {
  const visitor = new Visitor(site);
  await visitor.text('/set/before');
  const session = sessionOf(tokenIn(visitor.cookie));
  const old = new Visitor(site, visitor.cookie);
  expect(await old.json('/me')).toMatchObject({ handle: session });
  await visitor.json('/rotate?grace');
  expect(await old.json('/me')).toEqual({ value: 'before', degraded: false });
  expect(await visitor.json('/me')).toMatchObject({ value: 'before', handle: session });
});

test('nor has a secret that nobody could check, while the store is away', async () => {
  const visitor = new Visitor(site);
  await visitor.text('/set/before');
  const old = new Visitor(site, visitor.cookie);
  await visitor.json('/rotate');
  server.kill('SIGSTOP');
  expect(await old.json('/me')).toEqual({ degraded: true });
  expect(await visitor.json('/me')).toEqual({ degraded: true });
});
