import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startRedisProxy } from '../../support/redis-proxy.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { fieldsOf, Gate, Sites } from './fastify-stage.ts';

let server: TestRedis;
let sites: Sites;

beforeAll(async () => {
  server = await startTestRedis();
  sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
});
afterAll(async () => {
  await server?.stop();
});
afterEach(() => sites.close());

describe('requests at the same time', () => {
  it('keep each other’s fields: 100 of 100', async () => {
    const site = await sites.open({
      routes: (app) => {
        app.get<{ Params: { n: string } }>('/field/:n', async (request) => {
          await new Promise(setImmediate);
          fieldsOf(request)[`field${request.params.n}`] = Number(request.params.n);
          return {};
        });
        app.get('/count', async (request) => ({
          count: Object.keys(fieldsOf(request)).filter((name) => name.startsWith('field')).length,
        }));
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    await Promise.all(Array.from({ length: 100 }, (_, n) => site.browser(browser.cookie).get(`/field/${n}`)));
    expect((await browser.get('/count')).body).toEqual({ count: 100 });
    expect((await browser.get('/me')).body.user).toBe('ada');
  });

  it('do not bring a session back that has ended: a logout during a slow request', async () => {
    const gate = new Gate();
    const site = await sites.open({
      routes: (app) => {
        app.get('/slow', async (request) => {
          fieldsOf(request).cart = [1];
          await gate.pass();
          return {};
        });
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    const slow = site.browser(browser.cookie);
    const answer = slow.get('/slow');
    await gate.reached;
    await browser.get('/logout');
    gate.open();
    expect(await answer).toMatchObject({ status: 200, setCookies: [] });
    expect(await site.store.data.load(browser.token)).toBeUndefined();
    expect((await site.browser(browser.cookie).get('/me')).body.user).toBeUndefined();
  });

  it('save a new session once, and then what was changed', async () => {
    const proxy = await startRedisProxy(server.socketPath);
    onTestFinished(() => proxy.close());
    const site = await sites.open({
      store: { redis: proxy.url },
      routes: (app) => {
        app.get('/twice', async (request) => {
          fieldsOf(request).first = 1;
          const saving = request.session.save();
          // The record is being made; what comes now finds it.
          while (!proxy.commands().some(([name]) => name === 'EVAL')) await new Promise(setImmediate);
          fieldsOf(request).second = 2;
          await Promise.all([saving, request.session.save()]);
          return {};
        });
      },
    });
    const browser = site.browser();
    await browser.get('/twice');
    expect(site.store.data.valuesOf((await site.store.data.load(browser.token))!)).toMatchObject({
      first: 1,
      second: 2,
    });
  });
});
