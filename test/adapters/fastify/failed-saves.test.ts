import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DegradedOperation } from '../../../src/adapters/fastify/index.ts';
import { createConnection, type RedisConnection } from '../../../src/redis/index.ts';
import { recordOf } from '../../../src/sessions/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { type Browser, fieldsOf, type Site, Sites } from './fastify-stage.ts';

/* What docs/sessions.md says of saves that fail. @fastify/session saves before the headers are written. */

let server: TestRedis;
let redis: RedisConnection;
let sites: Sites;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await createConnection(server.url).connect();
  sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
});
afterAll(async () => {
  await redis?.close();
  await server?.stop();
});
afterEach(async () => {
  await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
  await sites.close();
});

describe.each(['closed', 'open'] as const)('while Redis refuses writes (fail: %s)', (fail) => {
  let site: Site;
  let browser: Browser;
  let degraded: DegradedOperation[];

  beforeEach(async () => {
    site = await sites.open({
      store: { fail },
      routes: (app, store) => {
        app.get('/unawaited', async (request) => {
          fieldsOf(request).cart = ['tv'];
          return { ordered: true };
        });
        app.get('/awaited', async (request) => {
          fieldsOf(request).cart = ['tv'];
          await request.session.save();
          return { ordered: true };
        });
        app.get('/operation', async (request) => {
          await store.append(request, 'cart', 'tv');
          return { ordered: true };
        });
      },
    });
    degraded = [];
    site.store.on('degraded', (operation) => degraded.push(operation));
    browser = site.browser();
    await browser.get('/login/ada');
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
  });

  it.each(['/unawaited', '/awaited'])('a save answers 503, but in a store that fails open (%s)', async (path) => {
    expect((await browser.get(path)).status).toBe(fail === 'open' ? 200 : 503);
    if (fail === 'open') expect(degraded[0]).toMatchObject({ operation: 'set' });
    expect(recordOf((await site.store.data.load(browser.token))!).fields.has('cart')).toBe(false);
  });

  it('an operation answers 503', async () => {
    expect((await browser.get('/operation')).status).toBe(503);
  });
});
