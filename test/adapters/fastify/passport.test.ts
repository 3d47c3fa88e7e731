import fastifyCookie from '@fastify/cookie';
import { Authenticator } from '@fastify/passport';
import fastifySession from '@fastify/session';
import Fastify, { type FastifyInstance } from 'fastify';
import { Strategy } from 'passport-local';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { SessionStore, sessionwise } from '../../../src/adapters/fastify/index.ts';
import { collectStrayErrors } from '../../support/stray-errors.ts';
import { useRedis } from '../../support/use-redis.ts';
import { Browser } from './fastify-stage.ts';

interface User {
  readonly name: string;
}

const server = useRedis({ eachTest: 'kept' });
let app: FastifyInstance;
let url: string;

beforeEach(async () => {
  const store = new SessionStore({ redis: server.url, sweep: false, deadlineMs: 20_000 });
  app = Fastify();
  onTestFinished(async () => {
    await app.close();
    await store.close();
  });
  const passport = new Authenticator();
  passport.use(
    new Strategy((name, password, done) => (password === 'right' ? done(null, { name }) : done(null, false))),
  );
  passport.registerUserSerializer(async (user) => (user as User).name);
  passport.registerUserDeserializer(async (name) => ({ name }));
  await app.register(fastifyCookie);
  await app.register(fastifySession, {
    store,
    idGenerator: store.genid,
    secret: 'a secret of the tests, and long enough',
    cookie: { secure: false },
  });
  await app.register(sessionwise, {});
  await app.register(passport.initialize());
  await app.register(passport.secureSession());
  const local = passport.authenticate('local', { authInfo: false });
  app.get('/login', { preValidation: local }, async (request) => ({ user: (request.user as User | null)?.name }));
  app.get('/me', async (request) => ({ user: (request.user as User | null)?.name }));
  app.get('/logout', async (request) => {
    await request.logOut();
    return {};
  });
  url = await app.listen({ port: 0, host: '127.0.0.1' });
});

it('answers a wrong password with 401, and goes on', async () => {
  const strays = collectStrayErrors();
  for (let tries = 0; tries < 20; tries += 1) {
    // Through a socket: inject() throws nothing where an answer is sent twice.
    const response = await fetch(`${url}/login?username=ada&password=wrong`, { signal: AbortSignal.timeout(20_000) });
    expect(response.status).toBe(401);
    await response.text();
  }
  expect((await fetch(`${url}/me`)).status).toBe(200);
  expect(strays).toEqual([]);
});

it('logs in and out', async () => {
  const browser = new Browser(app);
  expect((await browser.get('/login?username=ada&password=right')).body).toEqual({ user: 'ada' });
  expect((await browser.get('/me')).body).toEqual({ user: 'ada' });
  const before = browser.cookie;
  await browser.get('/logout');
  expect((await browser.get('/me')).body).toEqual({});
  expect((await new Browser(app, before).get('/me')).body).toEqual({});
});
