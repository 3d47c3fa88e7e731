import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type RequestHandler } from 'express';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { createSessionwise, Sessionwise } from '../../../src/adapters/express/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { USER_AGENT } from '../suite/adapter-site.ts';

const server = useRedis({ eachTest: 'kept' });
let create: typeof createSessionwise;

beforeEach(async () => {
  // Modules of its own, as in a process of its own: a warning comes once a process.
  vi.resetModules();
  ({ createSessionwise: create } = await import('../../../src/adapters/express/index.ts'));
});

declare module 'express-session' {
  interface SessionData {
    user?: string;
  }
}

/** What a site mounts, in its order. */
type Mounted = (sw: Sessionwise) => readonly RequestHandler[];

/** Logs in, opens two pages, logs out, logs in as somebody else; returns the codes of the warnings. */
async function warningsOf(mounted: Mounted): Promise<string[]> {
  const codes: string[] = [];
  const collect = (warning: Error & { code?: string }): void => void codes.push(`${warning.code}`);
  process.on('warning', collect);
  onTestFinished(() => void process.off('warning', collect));
  // The service is away, so that cookies stay pending.
  const sw = create({ redis: server.url, deadlineMs: 20 });
  sw.client.on('degraded', () => {});
  onTestFinished(() => sw.close());
  const app = express();
  for (const handler of mounted(sw)) app.use(handler);
  app.get('/', (_request, response) => void response.json({}));
  app.post('/login/:name', async (request, response) => {
    await request.session.identify(request.params.name);
    request.session.user = request.params.name;
    response.json({});
  });
  app.post('/logout', (request, response) => request.session.destroy(() => response.json({})));
  const running = app.listen(0, '127.0.0.1');
  onTestFinished(() => void running.close());
  await once(running, 'listening');
  const jar = new Map<string, string>();
  for (const [method, path] of [
    ['GET', '/'],
    ['POST', '/login/ada'],
    ['GET', '/'],
    ['GET', '/'],
    ['POST', '/logout'],
    ['GET', '/'],
    ['POST', '/login/bob'],
    ['GET', '/'],
  ]) {
    const cookie = [...jar].map((pair) => pair.join('=')).join('; ');
    const answer = await fetch(`http://127.0.0.1:${(running.address() as AddressInfo).port}${path}`, {
      method: method!,
      headers: { 'user-agent': USER_AGENT, cookie },
    });
    expect(answer.status).toBe(200);
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      jar.set(name!, value!);
    }
  }
  // Warnings are told in a later turn.
  await new Promise(setImmediate);
  return codes;
}

/** As passport.session() does it: `request.user` is set by a middleware. */
const setsUser: RequestHandler = (request, _response, next) => {
  (request as { user?: string | undefined }).user = request.session.user;
  next();
};
const user = (request: object): string | undefined => (request as { user?: string }).user;
const sessions = ({ session }: Sessionwise): RequestHandler => session({ secret: 'a secret of the tests' });

describe('a middleware before what it reads warns once', () => {
  it.each<[string, Mounted]>([
    ['before the sessions', (sw) => [sw.knowledge(), sessions(sw)]],
    ['before the sessions, with `user`', (sw) => [sw.knowledge({ user }), sessions(sw), setsUser]],
    ['before what sets the user', (sw) => [sessions(sw), sw.knowledge({ user }), setsUser]],
  ])('%s', async (_, mounted) => {
    expect(await warningsOf(mounted)).toEqual(['SESSIONWISE_USER_TOO_LATE']);
  });

  it.each<[string, Mounted]>([
    ['behind the sessions', (sw) => [sessions(sw), sw.knowledge()]],
    ['behind what sets the user', (sw) => [sessions(sw), setsUser, sw.knowledge({ user })]],
  ])('and not %s', async (_, mounted) => {
    expect(await warningsOf(mounted)).toEqual([]);
  });
});
