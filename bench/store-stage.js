import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { createClient } from 'redis';
import { SessionStore } from '../dist/adapters/express/index.js';
import { runLanes } from './bench-window.js';
import { COOKIE, fillTypicalSession } from './typical-session.js';

/** What is compared, by the name that the tables show. Each opens a store, and one that renews with each touch, where
 *  that is another. The sweep is charged to no operation: it does not depend on how many there are (see store.js). */
const SUBJECTS = {
  'connect-redis': (url) => openConnectRedis(url, { commandOptions: { timeout: undefined } }),
  "connect-redis, driver's timeout": (url) => openConnectRedis(url, {}),
  sessionwise: async (url) => {
    const open = (options) => useStore(new SessionStore({ redis: url, sweep: false, ...options }));
    const usual = open({ namespace: 'bench' });
    const eager = open({ namespace: 'bench-eager', touchEveryMs: 0 });
    return { usual, eager, close: () => Promise.all([usual.store.close(), eager.store.close()]) };
  },
};

export const SUBJECT_NAMES = Object.keys(SUBJECTS);

/** Opens a subject's stores. */
export function openSubject(name, url) {
  return SUBJECTS[name](url);
}

/** Makes a session as a visit without a cookie does. Its token. */
export async function createSession({ store }, i) {
  const request = { sessionStore: store };
  store.generate(request);
  fillTypicalSession(request.session, i);
  await store.set(request.sessionID, request.session);
  return request.sessionID;
}

/** Makes `count` sessions. Their tokens. */
export async function seedSessions(opened, count) {
  const tokens = [];
  const once = async (i) => {
    tokens[i] = await createSession(opened, i);
  };
  await runLanes({ count, inFlight: 16, once });
  return tokens;
}

/** Loads sessions as requests get them. */
export async function loadSessions({ store }, tokens) {
  const sessions = [];
  const once = async (i) => {
    sessions[i] = await new Promise((resolve, reject) => {
      store.load(tokens[i], (error, loaded) => (loaded ? resolve(loaded) : reject(error ?? new Error('No session.'))));
    });
  };
  await runLanes({ count: tokens.length, inFlight: 16, once });
  return sessions;
}

async function openConnectRedis(url, options) {
  const client = createClient({ ...options, socket: { path: decodeURIComponent(new URL(url).pathname) } });
  client.on('error', (error) => console.error(error));
  await client.connect();
  const usual = useStore(new RedisStore({ client, prefix: `sess-${Object.keys(options).length}:` }));
  return { usual, eager: usual, close: () => client.close() };
}

// express-session tells a store how a session begins.
function useStore(store) {
  const middleware = session({
    store,
    secret: 'bench',
    resave: false,
    saveUninitialized: false,
    cookie: COOKIE,
    ...(store.genid && { genid: store.genid }),
  });
  return { store, middleware };
}
