import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import compression from 'compression';
import express5 from 'express';
import express4 from 'express4';
import fastify from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSessionwise } from '../../src/adapters/express/index.ts';
import { type Dashboard, type DashboardOptions, dashboard } from '../../src/dashboard/index.ts';
import { startService } from '../../src/service/index.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { useRedis } from '../support/use-redis.ts';

const SECRET = 'a secret of the tests, long enough';
const redis = useRedis();
const log = new RecordingLog();

async function makeDashboard(options: Partial<DashboardOptions> = {}): Promise<Dashboard> {
  const service = await startService({ redis: redis.url, secret: SECRET });
  const sw = createSessionwise({ redis: redis.url, secret: SECRET });
  const made = dashboard({ sw, log, ...options });
  onTestFinished(async () => {
    await made.close();
    await sw.close();
    await service.stop();
  });
  return made;
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Opens the dashboard as a browser does from its bare address, and drops all dead letters. */
async function useDashboard(address: string): Promise<void> {
  const page = await fetch(address);
  expect([page.status, page.url]).toEqual([200, `${address}/now`]);
  const html = await page.text();
  for (const [, file] of html.matchAll(/(?:src|href)="([\w.]+\.\w+)"/g)) {
    expect((await fetch(new URL(file!, page.url))).status, file).toBe(200);
  }
  const data = (await (await fetch(new URL('health/data', page.url))).json()) as { deadLetters: unknown };
  expect(data.deadLetters).toEqual({ value: { count: 0, letters: [] } });
  const csrf = /data-csrf="([^"]+)"/.exec(html)![1]!;
  const dropped = await fetch(new URL('health/drop', page.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-sessionwise-csrf': csrf },
    body: '{"all":true}',
  });
  expect([dropped.status, await dropped.json()]).toEqual([200, { done: { dropped: 0 } }]);
}

describe.each([
  ['Express 4', express4 as unknown as typeof express5],
  ['Express 5', express5],
])('in %s', (_, express) => {
  it('sends events at once behind a middleware that compresses', async () => {
    const app = express();
    app.use(compression() as never);
    app.use('/admin', await makeDashboard());
    const abort = new AbortController();
    const response = await fetch(`${await listen(app)}/admin/health/events`, { signal: abort.signal });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('data: {')) text += (await reader.read()).value;
    abort.abort();
    await reader.closed.catch(() => undefined);
  });

  it('leaves an answer alone that a middleware before it has given', async () => {
    const app = express();
    app.use((_request, response, next) => {
      response.send('answered');
      next();
    });
    app.use('/admin', await makeDashboard());
    // What it would throw ends a process, and fails this file.
    const answer = await fetch(`${await listen(app)}/admin/health`);
    expect([answer.status, await answer.text()]).toEqual([200, 'answered']);
  });

  it('works below a path, in a router, and behind a parser of bodies', async () => {
    const made = await makeDashboard();
    const app = express();
    app.use(express.json());
    app.use('/admin', made);
    const router = express.Router();
    router.use('/deep', made);
    app.use('/a', router);
    const site = await listen(app);
    await useDashboard(`${site}/admin`);
    await useDashboard(`${site}/a/deep`);
  });
});

it('works in Fastify by the route of the documentation', async () => {
  const made = await makeDashboard({ base: '/admin' });
  const app = fastify();
  app.register(async (admin) => {
    admin.removeAllContentTypeParsers();
    admin.addContentTypeParser('*', (_request, _body, done) => done(null));
    for (const path of ['/admin', '/admin/*']) {
      admin.all(path, (request, reply) => {
        reply.hijack();
        made(request.raw, reply.raw);
      });
    }
  });
  onTestFinished(() => app.close());
  await useDashboard(await app.listen({ port: 0, host: '127.0.0.1' }).then((url) => `${url}/admin`));
});

describe('the check of the application', () => {
  async function statusFor(allow: NonNullable<DashboardOptions['allow']>): Promise<number> {
    const site = await listen(await makeDashboard({ allow }));
    return (await fetch(`${site}/health/data`)).status;
  }

  it.each([
    ['true', () => true, 200],
    ['a promise of true', async () => true, 200],
    ['a role with a name', () => ({ role: 'viewer' as const, name: 'Ann' }), 200],
    ['false', () => false, 403],
    ['undefined, as of a check that forgot to return', () => undefined as never, 403],
    ['a user', () => ({ id: 7 }) as never, 403],
    ['a text', () => 'yes' as never, 403],
    ['1', () => 1 as never, 403],
    ['a role that there is not', () => ({ role: 'root', name: 'Ann' }) as never, 403],
    ['a role without a name', () => ({ role: 'viewer' }) as never, 403],
    ['a promise of false', async () => false, 403],
  ])('%s -> %s', async (_, allow, status) => {
    expect(await statusFor(allow)).toBe(status);
  });

  it('that throws refuses, and is logged', async () => {
    const before = log.entries.length;
    const failing = () => {
      throw new Error('the directory is away');
    };
    expect(await statusFor(failing)).toBe(403);
    expect(await statusFor(async () => failing())).toBe(403);
    expect(log.with('check of the application failed').length).toBe(2);
    expect(log.entries.slice(before).map(({ level }) => level)).toEqual(['error', 'warn', 'error', 'warn']);
  });

  it('says who acted, and which role they have', async () => {
    const site = await listen(await makeDashboard({ allow: () => ({ role: 'operator', name: 'Ann' }) }));
    const { csrf, ...who } = (await (await fetch(`${site}/session`)).json()) as { csrf: string };
    expect(who).toEqual({ role: 'operator', name: 'Ann' });
    await fetch(`${site}/health/retry`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-sessionwise-csrf': csrf },
      body: '{"all":true}',
    });
    expect(log.with('done').at(-1)).toEqual({
      who: 'Ann',
      role: 'operator',
      view: 'health',
      action: 'retry',
      all: true,
    });
  });

  it('without it, only this machine gets in, and by no proxy', async () => {
    const site = await listen(await makeDashboard());
    expect((await fetch(`${site}/health`)).status).toBe(200);
    expect((await fetch(`${site}/health`, { headers: { 'x-forwarded-for': '10.0.0.1' } })).status).toBe(403);
  });
});

describe('the options', () => {
  it.each([
    [{}, /needs sw, or redis and secret/],
    [{ redis: 'redis://localhost' }, /needs secret beside redis/],
    [{ sw: {} }, /what createSessionwise\(\) made/],
    [{ redis: 'redis://localhost', secret: SECRET, alow: () => true }, /did you mean "allow"/],
    [{ redis: 'redis://localhost', secret: SECRET, key: 'short' }, /16 characters/],
    [{ redis: 'redis://localhost', secret: SECRET, base: 'admin' }, /a base like "\/admin"/],
    [{ redis: 'redis://localhost', secret: SECRET, maxStreams: 0 }, /from 1 to 10,000/],
  ])('%j are refused', (options, words) => {
    expect(() => dashboard(options as DashboardOptions)).toThrow(words);
  });
});
