import { createHmac } from 'node:crypto';
import type { RequestHandler } from 'express';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { SessionStore } from '../../../src/adapters/express/index.ts';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { fieldsIn, type ServedStore, serveStore, tokenIn, Visitor } from './session-store-stage.suite.ts';

/* A session's public id is shown to many. Sent by a client, it must give nothing and end nobody: neither as a cookie whose
 * signature is right (a site may sign what visitors type), nor where a site's own genid takes what a client sends. */

const SECRET = 'a secret for tests, and only for them';

describe("another's public id from a client", () => {
  let server: TestRedis;
  let site: ServedStore;
  beforeAll(async () => {
    server = await startTestRedis();
    const destroy: RequestHandler = (request, response, next) => {
      request.session.destroy((error) => (error ? next(error) : response.send('bye')));
    };
    site = await serveStore(
      { redis: server.url },
      {
        unset: 'destroy',
        genid: ({ headers }) => (typeof headers['x-id'] === 'string' ? headers['x-id'] : createToken()),
      },
      (app) => {
        app.get('/login/:name', (request, response) => {
          fieldsIn(request).user = request.params.name;
          response.send('in');
        });
        app.get('/me', (request, response) => {
          response.json({ user: fieldsIn(request).user });
        });
        app.get('/logout', destroy);
        app.get('/regenerate', (request, response, next) => {
          request.session.regenerate((error) => (error ? next(error) : response.send('new')));
        });
        app.get('/unset', (request, response) => {
          (request as { session: unknown }).session = null;
          response.send('unset');
        });
      },
    );
  });
  afterAll(async () => {
    await site.stop();
    await server.stop();
  });

  test.each(['/me', '/logout', '/regenerate', '/unset'])(
    '%s: as a signed cookie, and as what genid gives',
    async (path) => {
      const victim = new Visitor(site);
      await victim.text('/login/ada');
      const id = sessionOf(tokenIn(victim.cookie));
      const signature = createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '');
      const cookie = `connect.sid=${encodeURIComponent(`s:${id}.${signature}`)}`;
      expect(await (await new Visitor(site, cookie).get(path)).text()).not.toContain('ada');
      for (const headers of [{ 'x-id': id }, { 'x-id': id, cookie }]) {
        const response = await fetch(site.url + path, { headers });
        expect(await response.text()).not.toContain('ada');
      }
      expect(await victim.json('/me')).toEqual({ user: 'ada' });
      expect(site.errors).toEqual([]);
    },
  );
});

test('a public id that could not be read ends its session again after a minute', async () => {
  const server = await startTestRedis();
  onTestFinished(() => server.stop());
  const store = new SessionStore({ redis: server.url, sweep: false, deadlineMs: 500 });
  onTestFinished(() => store.close());
  const token = createToken();
  const id = sessionOf(token);
  await store.data.save(token, { user: 'ada' });
  server.kill('SIGSTOP');
  try {
    await expect(store.get(id)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  } finally {
    server.kill('SIGCONT');
  }
  await waitUntil('it answers again', async () => (await store.ids().catch((): string[] => [])).includes(id));
  await expect(store.destroy(id)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(await store.ids()).toEqual([id]);
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 61_000);
  onTestFinished(() => clock.mockRestore());
  await store.destroy(id);
  expect(await store.ids()).toEqual([]);
});
