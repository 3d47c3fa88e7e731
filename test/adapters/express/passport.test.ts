import type { Request } from 'express';
import { Passport } from 'passport';
import { Strategy } from 'passport-local';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { collectStrayErrors } from '../../support/stray-errors.ts';
import { useRedis } from '../../support/use-redis.ts';
import { type ServedStore, serveStore, Visitor } from './session-store-stage.suite.ts';

interface User {
  readonly name: string;
}

const server = useRedis({ eachTest: 'kept' });
let site: ServedStore;

beforeEach(async () => {
  const passport = new Passport();
  passport.use(
    new Strategy((name, password, done) => (password === 'right' ? done(null, { name }) : done(null, false))),
  );
  passport.serializeUser((user, done) => done(null, (user as User).name));
  passport.deserializeUser((name: string, done) => done(null, { name }));
  const nameOf = (request: Request): string | null => (request.user as User | undefined)?.name ?? null;
  site = await serveStore({ redis: server.url }, {}, (app) => {
    app.use(passport.initialize(), passport.session());
    app.get('/login', passport.authenticate('local'), (request, response) => response.json(nameOf(request)));
    app.get('/me', (request, response) => response.json(nameOf(request)));
    app.get('/logout', (request, response, next) => {
      request.logout((error) => (error ? next(error) : response.json(null)));
    });
    app.get('/throws', (request, _response, next) => {
      request.logIn({ name: 'ada' }, (error) => {
        if (error) return next(error);
        throw new Error('of the page');
      });
    });
  });
  onTestFinished(() => site.stop());
});

it('answers a wrong password with 401, and goes on', async () => {
  const strays = collectStrayErrors();
  const visitor = new Visitor(site);
  for (let tries = 0; tries < 20; tries += 1) {
    expect((await visitor.get('/login?username=ada&password=wrong')).status).toBe(401);
  }
  expect(await visitor.json('/me')).toBeNull();
  expect(strays).toEqual([]);
});

it('logs in and out', async () => {
  const visitor = new Visitor(site);
  expect(await visitor.json('/login?username=ada&password=right')).toBe('ada');
  expect(await visitor.json('/me')).toBe('ada');
  const before = visitor.cookie;
  await visitor.get('/logout');
  expect(await visitor.json('/me')).toBeNull();
  expect(await new Visitor(site, before).json('/me')).toBeNull();
});

it('answers 500 where the callback of a login throws', async () => {
  const strays = collectStrayErrors();
  const response = await new Visitor(site).get('/throws');
  expect(response.status).toBe(500);
  expect(await response.text()).toBe('of the page');
  expect(strays).toEqual([]);
});
