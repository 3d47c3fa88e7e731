import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import session from 'express-session';
import express4 from 'express4';
import { Passport } from 'passport';
import { Strategy } from 'passport-local';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SessionStore, sessionwise } from '../../../src/adapters/express/index.ts';
import { StagedService } from '../../support/staged-service.ts';
import { useRedis } from '../../support/use-redis.ts';
import { Visitor } from '../suite/adapter-site.ts';
import { expectPersons } from '../suite/login-and-logout.ts';
import { EXPRESS } from './express-under-test.ts';

/* Passport's login and logout, as its documentation has them: both regenerate the session. */

interface User {
  readonly name: string;
}

const server = useRedis({ eachTest: 'kept' });

async function open(create: typeof express, isOurs: boolean): Promise<{ visitor: Visitor; service: StagedService }> {
  const service = new StagedService(server.redis, ({ command, payload }) =>
    command === 'identify' ? { from: payload, merged: true } : [],
  );
  const client = await service.open({ redis: server.url });
  const ours = new SessionStore({ redis: server.url, sweep: false, deadlineMs: 20_000 });
  onTestFinished(() => ours.close());
  const passport = new Passport();
  passport.use(
    new Strategy((name, password, done) => (password === 'right' ? done(null, { name }) : done(null, false))),
  );
  passport.serializeUser((user, done) => done(null, (user as User).name));
  passport.deserializeUser((name: string, done) => done(null, { name }));
  const app = create();
  const store = isOurs ? ours : new session.MemoryStore();
  app.use(session({ store, secret: 'cookies', resave: false, saveUninitialized: false }));
  app.use(passport.initialize(), passport.session());
  app.use(sessionwise<Request>({ client, user: (request) => (request.user as User | undefined)?.name }));
  app.get('/login', passport.authenticate('local'), (_request, response) => void response.json({}));
  app.get('/logout', (request, response, next) => {
    request.logout((error) => (error ? next(error) : response.json({})));
  });
  app.get('/me', async (request, response) => {
    await request.sessionwise.request('combo', '');
    response.json({ id: request.sessionwise.id });
  });
  const running = app.listen(0, '127.0.0.1');
  onTestFinished(() => {
    running.closeAllConnections();
    running.close();
  });
  await once(running, 'listening');
  const url = `http://127.0.0.1:${(running.address() as AddressInfo).port}`;
  return { visitor: new Visitor({ url }, EXPRESS.cookies), service };
}

describe.each([
  ['Express 5, our store', express, true],
  ['Express 5, another store', express, false],
  ['Express 4, our store', express4, true],
  ['Express 4, another store', express4, false],
] as const)('with Passport: %s', (_, create, isOurs) => {
  it('the visitor becomes the person at the login, and a new one at the logout, at once', async () => {
    const { visitor, service } = await open(create, isOurs);
    await expectPersons(visitor, service);
  });

  it('a session cookie that was planted before the login shows nothing of the person', async () => {
    const { visitor } = await open(create, isOurs);
    await visitor.page('/me');
    const attacker = visitor.twin();
    attacker.visitorCookie = undefined;
    await visitor.page('/login?username=ada&password=right');
    await visitor.page('/me');
    const { id } = (await attacker.page('/me')) as { id: string };
    expect(id).toBe(attacker.visitorId);
  });
});
