import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { COOKIE_NAME, SITE_SECRET, type Site, Sites } from './fastify-stage.ts';

/* As in the test of the same name for Express. */

let server: TestRedis;
let sites: Sites;
let site: Site;

beforeAll(async () => {
  server = await startTestRedis();
  sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
  site = await sites.open({
    session: {
      idGenerator: (request) => {
        const given = (request as { headers?: Record<string, unknown> } | undefined)?.headers?.['x-id'];
        return typeof given === 'string' ? given : createToken();
      },
    },
    routes: (app) => {
      app.get('/regenerate', async (request) => {
        await request.session.regenerate();
        return {};
      });
    },
  });
});
afterAll(async () => {
  await sites.close();
  await server.stop();
});

it.each(['/me', '/logout', '/regenerate'])("%s: another's public id from a client ends nobody", async (path) => {
  const victim = site.browser();
  await victim.get('/login/ada');
  const id = sessionOf(victim.token);
  const signature = createHmac('sha256', SITE_SECRET).update(id).digest('base64').replace(/=+$/, '');
  const cookie = `${COOKIE_NAME}=${encodeURIComponent(`${id}.${signature}`)}`;
  for (const headers of [{}, { 'x-id': id }] as Record<string, string>[]) {
    for (const browser of [site.browser(cookie), site.browser()]) {
      expect((await browser.get(path, headers)).text).not.toContain('ada');
    }
  }
  expect((await victim.get('/me')).body).toMatchObject({ user: 'ada' });
});

it('a public id ends the session for code that is no request, and is no credential', async () => {
  const victim = site.browser();
  await victim.get('/login/ada');
  const id = sessionOf(victim.token);
  expect(await site.store.get(id)).toBeNull();
  expect(await site.store.data.sessions()).toContain(id);
  await site.store.destroy(id);
  expect((await victim.get('/me')).body).not.toHaveProperty('user');
  const { body } = await victim.get('/login/ada');
  expect(body).toEqual({ user: 'ada' });
  await new Promise((done) => site.store.destroy(sessionOf(victim.token), done));
  expect(await site.store.get(victim.token)).toBeNull();
});
