import express, { type Express, type Request, type RequestHandler } from 'express';
import express4 from 'express4';
import { Passport } from 'passport';
import { Strategy } from 'passport-local';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { sessionOf } from '../../../src/protocol/index.ts';
import { collectStrayErrors } from '../../support/stray-errors.ts';
import { useRedis } from '../../support/use-redis.ts';
import { type ServedStore, serveStore, tokenIn, Visitor } from './session-store-stage.suite.ts';

interface User {
  readonly name: string;
}

type Flashing = Request & { flash: (type: string, message?: string) => string[] };

/** What connect-flash does: messages in the session until they are shown. */
const flash: RequestHandler = (request, _response, next) => {
  (request as Flashing).flash = (type, message) => {
    const session = request.session as unknown as { flash?: Record<string, string[]> };
    session.flash ??= {};
    if (message !== undefined) session.flash[type] = [...(session.flash[type] ?? []), message];
    const messages = session.flash[type] ?? [];
    if (message === undefined) delete session.flash[type];
    return messages;
  };
  next();
};

const server = useRedis({ eachTest: 'kept' });

describe.each<[string, () => Express]>([
  ['Express 5', express],
  ['Express 4', express4],
])('Passport in %s', (_, createApp) => {
  let site: ServedStore;

  beforeEach(async () => {
    const passport = new Passport();
    const wrong = { message: 'Wrong password.' };
    passport.use(
      new Strategy((name, password, done) => (password === 'right' ? done(null, { name }) : done(null, false, wrong))),
    );
    passport.serializeUser((user, done) => done(null, (user as User).name));
    passport.deserializeUser((name: string, done) => done(null, { name }));
    const nameOf = (request: Request): string | null => (request.user as User | undefined)?.name ?? null;
    const setUp = (app: Express): void => {
      app.use(passport.initialize(), passport.session(), flash);
      app.get('/login', passport.authenticate('local'), (request, response) => response.json(nameOf(request)));
      app.get(
        '/form',
        passport.authenticate('local', {
          failureRedirect: '/messages',
          failureFlash: true,
          failureMessage: true,
        }),
        (request, response) => response.json(nameOf(request)),
      );
      app.get('/messages', (request, response) => {
        const { messages } = request.session as unknown as { messages?: string[] };
        response.json({ flash: (request as Flashing).flash('error'), messages });
      });
      app.get('/put', (request, response) => {
        (request.session as unknown as { cart: string }).cart = 'book';
        response.json(null);
      });
      app.get('/cart', (request, response) =>
        response.json((request.session as unknown as { cart?: string }).cart ?? null),
      );
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
    };
    site = await serveStore({ redis: server.url }, {}, setUp, createApp);
    onTestFinished(() => site.stop());
  });

  it('answers a wrong password with 401, and goes on', async () => {
    const strays = collectStrayErrors();
    const visitor = new Visitor(site);
    await visitor.json('/put');
    for (let tries = 0; tries < 20; tries += 1) {
      expect((await visitor.get('/login?username=ada&password=wrong')).status).toBe(401);
    }
    expect(await visitor.json('/me')).toBeNull();
    expect(strays).toEqual([]);
  });

  it('logs in and out: each begins another session, and the one before is over', async () => {
    const visitor = new Visitor(site);
    await visitor.json('/put');
    const before = visitor.cookie;
    expect(await visitor.json('/login?username=ada&password=right')).toBe('ada');
    expect(await visitor.json('/me')).toBe('ada');
    const during = visitor.cookie;
    expect(sessionOf(tokenIn(during))).not.toBe(sessionOf(tokenIn(before)));
    expect(await new Visitor(site, before).json('/cart')).toBeNull();
    await visitor.get('/logout');
    expect(await visitor.json('/me')).toBeNull();
    expect(await new Visitor(site, during).json('/me')).toBeNull();
  });

  it('shows what was wrong once, and lets the next try in', async () => {
    const strays = collectStrayErrors();
    const visitor = new Visitor(site);
    await visitor.json('/put');
    const form = (password: string): string => `/form?username=ada&password=${password}`;
    expect(await visitor.json(form('wrong'))).toEqual({ flash: ['Wrong password.'], messages: ['Wrong password.'] });
    expect(await visitor.json('/messages')).toMatchObject({ flash: [] });
    expect(await visitor.json(form('right'))).toBe('ada');
    expect(strays).toEqual([]);
  });

  it('answers 500 where the callback of a login throws', async () => {
    const strays = collectStrayErrors();
    const response = await new Visitor(site).get('/throws');
    expect(response.status).toBe(500);
    expect(await response.text()).toBe('of the page');
    expect(strays).toEqual([]);
  });
});
