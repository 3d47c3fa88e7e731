import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { createClient } from 'redis';
import { SessionStore } from 'sessionwise/express';
import { socketOf } from '../support/redis.js';
import { createSession } from '../support/typical-session.js';
import { runAll } from '../support/window.js';

export const SECRET = 'bench';

/** What is compared. Each opens { store, eager, close }: `eager` renews with each touch. A sweep is one process' of all,
 *  whatever is asked: no operation's. */
const SIDES = {
  connectRedis: (url) => openConnectRedis(url, {}),
  tuned: (url) => openConnectRedis(url, { commandOptions: { timeout: undefined } }),
  ours: async (url) => {
    const open = (options) => useStore(new SessionStore({ redis: url, sweep: false, ...options }));
    const usual = open({ namespace: 'bench' });
    const eager = open({ namespace: 'eager', touchEveryMs: 0 });
    return { ...usual, eager: eager.store, close: () => Promise.all([usual.store.close(), eager.store.close()]) };
  },
};

export const SIDE_IDS = Object.keys(SIDES);

export function openSide(side, url) {
  return SIDES[side](url);
}

async function openConnectRedis(url, options) {
  const client = createClient({ ...options, socket: socketOf(url) });
  client.on('error', (error) => console.error(error));
  await client.connect();
  const usual = useStore(new RedisStore({ client, prefix: `myapp-${Object.keys(options).length}:` }));
  return { ...usual, eager: usual.store, close: () => client.destroy() };
}

// express-session tells a store how a session begins.
function useStore(store) {
  const middleware = session({
    store,
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
    ...(store.genid && { genid: store.genid }),
  });
  return { store, middleware };
}

/** Makes `count` sessions. Their tokens. */
export async function seedSessions(store, count) {
  const tokens = [];
  const once = async (i) => {
    tokens[i] = await createSession(store, i);
  };
  await runAll({ count, inFlight: 16, once });
  return tokens;
}

/** Loads sessions as requests get them. */
export async function loadSessions(store, tokens) {
  const sessions = [];
  const once = async (i) => {
    sessions[i] = await new Promise((resolve, reject) => {
      store.load(tokens[i], (error, loaded) => (loaded ? resolve(loaded) : reject(error ?? new Error('No session.'))));
    });
  };
  await runAll({ count: tokens.length, inFlight: 16, once });
  return sessions;
}
