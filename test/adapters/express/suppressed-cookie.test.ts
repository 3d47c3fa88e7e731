import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import session from 'express-session';
import { expect, it, onTestFinished } from 'vitest';
import { SessionStore } from '../../../src/adapters/express/index.ts';
import { freePorts } from '../../support/free-ports.ts';

const SECRET = 'a secret of the tests';

it('the state of a session: is told while the head of an answer without a cookie is written, as hooks on headers ask', async () => {
  const [port] = await freePorts(1);
  const store = new SessionStore({ redis: `redis://127.0.0.1:${port}`, fail: 'open', deadlineMs: 50 });
  onTestFinished(() => store.close());
  const seen: boolean[] = [];
  const app = express();
  app.use((request, response, next) => {
    const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => typeof response;
    response.writeHead = ((...args: unknown[]) => {
      seen.push(store.isDegraded(request));
      return writeHead(...args);
    }) as typeof response.writeHead;
    next();
  });
  app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: true }));
  app.get('/', (request, response) => {
    seen.push(request.session.isDegraded());
    response.end('page');
  });
  const server = app.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const signature = createHmac('sha256', SECRET).update('one').digest('base64').replace(/=+$/, '');
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
    headers: { cookie: `connect.sid=${encodeURIComponent(`s:one.${signature}`)}`, connection: 'close' },
  });
  expect(await answer.text()).toBe('page');
  expect(seen).toEqual([true, true]);
});
