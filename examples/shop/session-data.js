// @ts-check
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { createClient } from 'redis';

/** @import { NextFunction, Request, Response } from 'express' */

/* session-data.js: the classic half of a session (who, cart, preferences), with express-session in Redis.
 *
 * A page must not fail because Redis is away, nor hang because it is frozen. So every wait is bounded, and:
 * - a session that cannot be read is no error: `req.session` is undefined, but `req.sessionID` is what the cookie says
 *   (express-session sets it first), so that no cookie is replaced and the visitor is known again afterwards;
 * - a session that cannot be saved is no error either: the page has been rendered by then;
 * - while one command is overdue, no other is sent: the first page waits, the next ones do not. */

/** @typedef {{ redis: string, secret: string, deadlineMs: number, log: (line: string) => void }} SessionDataOptions */

/** @param {SessionDataOptions} options */
export function sessionData({ redis, secret, deadlineMs, log }) {
  const client = createClient({
    ...addressOf(redis),
    name: 'shop-sessions',
    // Deadlines are ours: the driver's own costs an AbortSignal a command, and cancels nothing.
    commandOptions: /** @type {{}} */ ({ timeout: undefined }),
    disableOfflineQueue: true,
  });
  let away = false;
  client.on('ready', () => {
    if (away) log('Session data: Redis is back.');
    away = false;
  });
  client.on('error', (error) => {
    if (!away) log(`Session data: Redis is away (${error.code ?? error.message}); pages go on without it.`);
    away = true;
  });
  client.connect().catch(() => {}); // It goes on trying; what rejects here at last is our own close().

  const store = new BoundedStore(new RedisStore({ client, prefix: 'shop:sess:' }), deadlineMs, log);
  const read = session({
    name: 'shop.sid',
    store,
    secret,
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', maxAge: 30 * 24 * 3600 * 1000 },
  });

  return {
    /** @param {Request} request @param {Response} response @param {NextFunction} next */
    middleware(request, response, next) {
      let passed = false;
      read(request, response, () => {
        // express-session tells a failed save by calling this a second time, behind the page.
        if (passed) return;
        passed = true;
        next();
      });
    },
    /** Waits until Redis is there, at most `ms`. @param {number} ms */
    async ready(ms) {
      const end = performance.now() + ms;
      while (!client.isReady && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    close() {
      client.destroy();
    },
  };
}

/** The driver knows no unix:// addresses. @param {string} redis */
function addressOf(redis) {
  const url = new URL(redis);
  /** @param {number} tries */
  const reconnectStrategy = (tries) => Math.min(20 * 2 ** tries, 200);
  return url.protocol === 'unix:'
    ? { socket: { path: decodeURIComponent(url.pathname), reconnectStrategy } }
    : { url: redis, socket: { reconnectStrategy } };
}

/** @typedef {(error?: unknown, data?: any) => void} Callback */

/** A store that answers in time, if only with an error. */
class BoundedStore extends session.Store {
  #overdue = 0;

  /** @param {session.Store} store @param {number} deadlineMs @param {(line: string) => void} log */
  constructor(store, deadlineMs, log) {
    super();
    this.store = store;
    this.deadlineMs = deadlineMs;
    this.log = log;
  }

  /** @param {string} id @param {Callback} callback @override */
  get(id, callback) {
    this.#bound((done) => this.store.get(id, done), callback);
  }

  /** @param {string} id @param {session.SessionData} data @param {Callback} [callback] @override */
  set(id, data, callback) {
    this.#bound((done) => this.store.set(id, data, done), callback);
  }

  /** @param {string} id @param {session.SessionData} data @param {Callback} [callback] @override */
  touch(id, data, callback) {
    this.#bound((done) => this.store.touch?.(id, data, done), callback);
  }

  /** @param {string} id @param {Callback} [callback] @override */
  destroy(id, callback) {
    this.#bound((done) => this.store.destroy(id, done), callback);
  }

  /** @param {(done: Callback) => void} work @param {Callback} [callback] */
  #bound(work, callback = () => {}) {
    if (this.#overdue > 0) return void setImmediate(callback, new Error('Redis has not answered the one before yet.'));
    let isOverdue = false;
    const timer = setTimeout(() => {
      isOverdue = true;
      this.#overdue += 1;
      if (this.#overdue === 1) this.log('Session data: Redis does not answer; pages go on without it.');
      callback(new Error(`Redis did not answer within ${this.deadlineMs} ms.`));
    }, this.deadlineMs);
    work((error, data) => {
      clearTimeout(timer);
      if (!isOverdue) return callback(error, data);
      this.#overdue -= 1;
      if (this.#overdue === 0) this.log('Session data: Redis is done with what was overdue.');
    });
  }
}
