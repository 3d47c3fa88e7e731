import fastifyCookie from '@fastify/cookie';
import { Authenticator } from '@fastify/passport';
import fastifySession from '@fastify/session';
import Fastify from 'fastify';
import { Strategy } from 'passport-local';
import { describe, it, onTestFinished } from 'vitest';
import { SessionStore, sessionwise } from '../../../src/adapters/fastify/index.ts';
import { StagedService } from '../../support/staged-service.ts';
import { useRedis } from '../../support/use-redis.ts';
import { Visitor } from '../suite/adapter-site.ts';
import { expectPersons } from '../suite/login-and-logout.ts';
import { FASTIFY } from './fastify-under-test.ts';

interface User {
  readonly name: string;
}

const server = useRedis({ eachTest: 'kept' });

/** Opens a site; `isFirst`: whether our plugin is registered before Passport. */
async function open(isFirst: boolean): Promise<{ visitor: Visitor; service: StagedService }> {
  const service = new StagedService(server.redis, ({ command, payload }) =>
    command === 'identify' ? { from: payload, merged: true } : [],
  );
  const client = await service.open({ redis: server.url });
  const store = new SessionStore({ redis: server.url, sweep: false, deadlineMs: 20_000 });
  const app = Fastify({ forceCloseConnections: true });
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
  const cookie = { secure: false };
  await app.register(fastifySession, { store, secret: 'a secret of the tests, and long enough', cookie });
  const ours = () =>
    app.register(sessionwise, { client, user: (request) => (request.user as User | null | undefined)?.name });
  if (isFirst) await ours();
  await app.register(passport.initialize());
  await app.register(passport.secureSession());
  if (!isFirst) await ours();
  const local = passport.authenticate('local', { authInfo: false });
  app.get('/login', { preValidation: local }, async () => ({}));
  app.get('/logout', async (request) => {
    await request.logOut();
    return {};
  });
  app.get('/me', async (request) => {
    await request.sessionwise.request('combo', '');
    return { id: request.sessionwise.id };
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { visitor: new Visitor({ url }, FASTIFY.cookies), service };
}

describe.each([
  ['behind', false],
  ['before', true],
])('with @fastify/passport, our plugin %s it', (_, isFirst) => {
  it('the visitor becomes the person at the login, and a new one at the logout, at once', async () => {
    const { visitor, service } = await open(isFirst);
    await expectPersons(visitor, service);
  });
});
