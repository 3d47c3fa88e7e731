// @ts-check
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { createSessionwise } from 'sessionwise/express';
import { CUSTOMERS } from './catalogue.js';
import { listen } from './listen.js';
import { publishOwnNotices } from './own-notices.js';
import { added, addedSync } from './pages/added.js';
import { addToCart, cart, removeFromCart } from './pages/cart.js';
import { confirmPurchase } from './pages/confirm-purchase.js';
import { devices, endAllDevices, endDevice, endOtherDevices } from './pages/devices.js';
import { featured } from './pages/featured.js';
import { logIn, login, logOut } from './pages/login.js';
import { changeNotices, changeNoticesInPlace, listNotices, notifications } from './pages/notifications.js';
import { failure, notFound } from './pages/problem.js';
import { rawSessionAnalytics } from './pages/raw-session-analytics.js';
import { dismissTip } from './pages/tips.js';
import { publishANotice, writeANotice } from './pages/write-a-notice.js';
import { rateLimit } from './rate-limit.js';
import { sameOrigin } from './same-origin.js';
import { needsSession } from './visitor.js';

const PUBLIC = fileURLToPath(new URL('public', import.meta.url));
const START_DEADLINE_MS = 1_000;
const COOKIE_NAME = 'shop.sid';
const COOKIE_MAX_AGE_MS = 30 * 24 * 3600 * 1000;
// "Last seen" on the page of devices is up to this much behind.
const TOUCH_EVERY_MS = 60_000;
const WRITTEN_NOTICES = { most: 20, windowMs: 60_000 };

/** @typedef {import('sessionwise/express').Sessionwise} Sessionwise */
/** @typedef {object} ShopOptions
 *  @property {string} redis `redis://host:port` or `unix:///path/to.sock`
 *  @property {number} [port] Default 3379; 0 takes a free one.
 *  @property {string} [host] Default 127.0.0.1
 *  @property {string} [origin] Where browsers find the shop, such as `https://shop.example`, behind a proxy that speaks
 *    https for it. Default: the address on which it listens.
 *  @property {string} [namespace] Default `sw`
 *  @property {string} [cookieSecret] Signs the cookies. Default: a new one at each start, which forgets all visitors.
 *  @property {number} [deadlineMs] How long a page may wait for the service, and how long for its session data. Default 100
 *  @property {boolean} [demo] Whether anybody may write notices, as the staff of a real shop would. Default false
 *  @property {(line: string) => void} [log] Default: says nothing. */

/**
 * Starts the shop. It starts, and goes on, whether Redis and the service are there or not.
 * @param {ShopOptions} options
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 * @throws {TypeError} for an origin that is no URL
 */
export async function startShop({ port = 3379, host = '127.0.0.1', log = () => {}, ...options }) {
  // The port first: where it is taken, nothing else has been opened that would have to be closed.
  const { server, url, close: closeServer } = await listen(port, host);
  /** @type {Sessionwise | undefined} */
  let sw;
  /** @type {Awaited<ReturnType<typeof openForPages>> | undefined} */
  let ownNotices;
  const close = async () => {
    ownNotices?.stop();
    await Promise.all([closeServer(), sw?.close()]);
  };
  try {
    sw = createStore({ ...options, log });
    const app = createShop(sw, { ...options, log });
    app.locals.url = new URL(url).origin;
    server.on('request', app);
    ownNotices = await openForPages(sw, log);
    log(`The shop is open: ${app.locals.origin ?? url}`);
  } catch (error) {
    await close();
    throw error;
  }
  return { url, close };
}

/** Sessionwise for this shop. While Redis is away every page goes on, with an empty session under the visitor's own cookie.
 *  @param {{ redis: string, namespace?: string, deadlineMs?: number, log: (line: string) => void }} options */
export function createStore({ redis, namespace = 'sw', deadlineMs = 100, log }) {
  const store = { deadlineMs, fail: /** @type {const} */ ('open'), touchEveryMs: TOUCH_EVERY_MS };
  const sw = createSessionwise({ redis, namespace, deadlineMs, store });
  sw.store.on('store:down', (error) =>
    log(`Session data: Redis is away (${reasonOf(error)}); pages go on without it.`),
  );
  sw.store.on('store:up', () => log('Session data: Redis is back.'));
  return sw;
}

/** Waits a moment for the connection, so that the first page need not, and publishes the shop's own notices.
 *  @param {Sessionwise} sw @param {(line: string) => void} log */
export async function openForPages(sw, log) {
  const { client, store } = sw;
  // Any question to the store waits for its connection.
  const [isReady] = await Promise.all([client.ready(START_DEADLINE_MS), store.get(store.genid())]);
  const ownNotices = publishOwnNotices(sw, log);
  if (isReady) await ownNotices.tried;
  return ownNotices;
}

/** @typedef {object} ShopParts
 *  @property {string} [origin]
 *  @property {string} [cookieSecret]
 *  @property {number} [deadlineMs]
 *  @property {boolean} [demo]
 *  @property {(line: string) => void} log
 *  @property {string} [cookieName] The session's cookie. Default `shop.sid`
 *  @property {string} [framedBy] Which pages may show the shop in a frame, as in a Content-Security-Policy. Default: none. */

/** The shop's pages. @param {Sessionwise} sw @param {ShopParts} parts */
export function createShop(
  sw,
  {
    origin,
    cookieSecret = randomBytes(32).toString('base64url'),
    deadlineMs = 100,
    demo = false,
    log,
    cookieName = COOKIE_NAME,
    framedBy = "'none'",
  },
) {
  const ownOrigin = origin === undefined ? undefined : new URL(origin).origin;
  const app = express();
  app.disable('x-powered-by').disable('etag');
  // The proxy says whether the browser came over https; without that express-session sets no cookie that is `secure`.
  if (ownOrigin) app.set('trust proxy', 1);
  Object.assign(app.locals, { deadlineMs, log, store: sw.store, notices: sw.notices, demo, cookieName });
  app.locals.origin = ownOrigin;
  app.use((_request, response, next) => {
    response.set({
      'Content-Security-Policy': `default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors ${framedBy}`,
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
  app.use(
    sw.session({
      name: cookieName,
      secret: cookieSecret,
      rolling: true,
      cookie: { secure: ownOrigin?.startsWith('https:') ?? false, maxAge: COOKIE_MAX_AGE_MS },
    }),
  );
  // A demonstration: scripts and browsers without a window are as welcome as anybody.
  const visitors = { bots: /** @type {const} */ ('count'), groups: () => [CUSTOMERS] };
  app.use(sw.knowledge({ ...visitors, pageview: 'off' }));
  app.use('/live', sw.live());
  // Each counts when its answer has ended below 400; the figures that it shows have it counted in (`visit`).
  const counted = sw.knowledge(visitors);

  app.get('/', counted, featured);
  app.get('/added/:item', counted, added);
  app.get('/added-sync/:item', counted, addedSync);
  app.get('/confirm-purchase', counted, confirmPurchase);
  app.get('/notifications', counted, notifications);
  app.get('/notifications.json', listNotices);
  app.get('/cart', counted, cart);
  app.get('/login', counted, login);
  app.get('/devices', counted, devices);
  app.get('/raw-session-analytics', rawSessionAnalytics);

  const form = [sameOrigin, express.urlencoded({ extended: false, limit: '64kb' })];
  app.post('/notifications', form, changeNotices);
  app.post('/notifications.json', form, changeNoticesInPlace);
  app.post('/cart', form, needsSession, addToCart);
  app.post('/cart/remove', form, needsSession, removeFromCart);
  app.post('/tips/dismiss', form, dismissTip);
  app.post('/login', form, needsSession, logIn);
  app.post('/logout', form, needsSession, logOut);
  app.post('/devices/end', form, needsSession, endDevice);
  app.post('/devices/end-others', form, needsSession, endOtherDevices);
  app.post('/devices/end-all', form, needsSession, endAllDevices);
  if (demo) {
    app.get('/write-a-notice', counted, writeANotice);
    app.post('/write-a-notice', sameOrigin, rateLimit(WRITTEN_NOTICES), form, needsSession, publishANotice);
  }
  app.use(notFound);
  app.use(failure);

  return app;
}

/** @param {Error & { code?: string }} error */
function reasonOf({ code, message }) {
  return code === undefined || code === 'STORE_UNAVAILABLE' ? message : code;
}
