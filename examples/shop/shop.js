// @ts-check
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { SessionClient } from 'sessionwise';
import { sessionwise } from 'sessionwise/express';
import { added, addedSync } from './pages/added.js';
import { confirmPurchase } from './pages/confirm-purchase.js';
import { featured } from './pages/featured.js';
import { markNotifications, notifications } from './pages/notifications.js';
import { failure, notFound } from './pages/problem.js';
import { rawSessionAnalytics } from './pages/raw-session-analytics.js';
import { sessionData } from './session-data.js';

const PUBLIC = fileURLToPath(new URL('public', import.meta.url));
const START_DEADLINE_MS = 1_000;

/** @typedef {object} ShopOptions
 *  @property {string} redis `redis://host:port` or `unix:///path/to.sock`
 *  @property {number} [port] Default 3379; 0 takes a free one.
 *  @property {string} [host] Default 127.0.0.1
 *  @property {string} [namespace] Default `sw`
 *  @property {string} [cookieSecret] Signs the cookies. Default: a new one at each start, which forgets all visitors.
 *  @property {number} [deadlineMs] How long a page may wait for the service, and how long for its session data. Default 100
 *  @property {(line: string) => void} [log] Default: says nothing. */

/**
 * Starts the shop. It starts, and goes on, whether Redis and the service are there or not.
 * @param {ShopOptions} options
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function startShop({
  redis,
  port = 3379,
  host = '127.0.0.1',
  namespace = 'sw',
  cookieSecret = randomBytes(32).toString('base64url'),
  deadlineMs = 100,
  log = () => {},
}) {
  const client = new SessionClient({ redis, namespace, deadlineMs });
  const sessions = sessionData({ redis, secret: cookieSecret, deadlineMs, log });

  const app = express();
  app.disable('x-powered-by').disable('etag');
  Object.assign(app.locals, { deadlineMs, log });
  app.use((_request, response, next) => {
    response.set({
      'Content-Security-Policy': "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      'Referrer-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
    });
    next();
  });
  app.use(express.static(PUBLIC, { index: false }));
  app.get('/favicon.ico', (_request, response) => response.redirect(301, '/favicon.svg'));

  // From here on every request has its session, and `request.sessionwise`; which pages count, each route says.
  app.use((_request, response, next) => {
    response.set('Cache-Control', 'private, no-cache');
    next();
  });
  app.use(sessions.middleware);
  app.use(sessionwise({ client, pageview: 'off', trackAnonymous: false }));
  const waited = sessionwise({ client, pageview: 'request' });
  const published = sessionwise({ client, pageview: 'publish' });

  app.get('/', waited, featured);
  app.get('/added/:item', published, added);
  app.get('/added-sync/:item', waited, addedSync);
  app.get('/confirm-purchase', waited, confirmPurchase);
  app.get('/notifications', waited, notifications);
  app.post('/notifications', express.urlencoded({ extended: false, limit: '64kb' }), markNotifications);
  app.get('/raw-session-analytics', rawSessionAnalytics);
  app.use(notFound);
  app.use(failure);

  const server = createServer(app);
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await Promise.all([server.listening && closed, client.close()]);
    sessions.close();
  };
  try {
    server.listen(port, host);
    await once(server, 'listening');
    await Promise.all([client.ready(START_DEADLINE_MS), sessions.ready(START_DEADLINE_MS)]);
  } catch (error) {
    await client.close();
    sessions.close();
    throw error;
  }
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
  log(`The shop is open: ${url}`);
  return { url, close };
}
