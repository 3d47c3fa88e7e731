import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { DegradedOperation } from '../../../src/adapters/express/index.ts';
import { createConnection, type RedisConnection } from '../../../src/redis/index.ts';
import { recordOf } from '../../../src/sessions/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { fieldsIn, fieldsOf, type ServedStore, serveStore, tokenIn, Visitor } from './session-store-stage.suite.ts';

/* What docs/sessions.md says of saves that fail: those at the end of a request come too late for its status. */

let server: TestRedis;
let redis: RedisConnection;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await createConnection(server.url).connect();
});
afterAll(async () => {
  await redis?.close();
  await server?.stop();
});
afterEach(() => redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0'));

describe.each(['closed', 'open'] as const)('while Redis refuses writes (fail: %s)', (fail) => {
  let site: ServedStore;
  let visitor: Visitor;
  let degraded: DegradedOperation[];

  beforeEach(async () => {
    site = await serveStore({ redis: server.url, fail }, {}, (app) => {
      app.get('/begin', (request, response) => {
        fieldsIn(request).cart = ['lamp'];
        response.json({});
      });
      app.get('/unawaited', (request, response) => {
        fieldsIn(request).cart = ['tv'];
        response.json({ ordered: true });
      });
      app.get('/awaited', (request, response, next) => {
        fieldsIn(request).cart = ['tv'];
        request.session.save((error) => (error ? next(error) : response.json({ ordered: true })));
      });
      app.get('/operation', async (request, response) => {
        await request.session.append('cart', 'tv');
        response.json({ ordered: true });
      });
    });
    onTestFinished(() => site.stop());
    degraded = [];
    site.store.on('degraded', (operation) => degraded.push(operation));
    visitor = new Visitor(site);
    // The whole answer: its last byte comes behind the save.
    await visitor.json('/begin');
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
  });

  afterEach(async () => {
    // Whatever was answered, nothing was saved.
    const loaded = await site.store.data.load(tokenIn(visitor.cookie));
    expect(fieldsOf(recordOf(loaded!).values(0))).toEqual({ cart: ['lamp'] });
  });

  it('a save at the end of a request answers 200 all the same', async () => {
    const response = await visitor.get('/unawaited');
    expect([response.status, await response.json()]).toEqual([200, { ordered: true }]);
    if (fail === 'open') expect(degraded).toMatchObject([{ operation: 'set' }]);
    else await expect.poll(() => site.errors).toMatchObject([{ code: 'STORE_UNAVAILABLE' }]);
  });

  it('a save that is waited for answers 503, but in a store that fails open', async () => {
    expect((await visitor.get('/awaited')).status).toBe(fail === 'open' ? 200 : 503);
  });

  it('an operation answers 503', async () => {
    expect((await visitor.get('/operation')).status).toBe(503);
  });
});
