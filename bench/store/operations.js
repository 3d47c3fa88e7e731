import { createSession } from '../support/typical-session.js';
import { loadSessions } from './sides.js';

/** What is asked of a store, each as express-session does it: prepared before the window, `once(i)` within it, `check`
 *  behind it, with how many were done. `stage`: { store, eager, tokens, eagerTokens }. */
export const STORE_OPERATIONS = {
  get: ({ store, tokens }) => ({
    once: (i) => answered((done) => store.get(tokens[i % tokens.length], done)),
  }),

  set: ({ store, tokens }) => setOne(store, tokens),

  /** Each save moves the session's end too. */
  setEager: ({ eager, eagerTokens }) => setOne(eager, eagerTokens),

  create: ({ store }) => ({ once: (i) => createSession(store, i) }),

  touch: ({ store, tokens }) => touchOne(store, tokens),

  /** Each touch moves the session's end. */
  touchEager: ({ eager, eagerTokens }) => touchOne(eager, eagerTokens),
};

async function setOne(store, tokens) {
  const sessions = await loadSessions(store, tokens);
  let last;
  return {
    once(i) {
      last = i % tokens.length;
      const session = sessions[last];
      session.touch();
      session.views += 1;
      return answered((done) => store.set(tokens[last], session, done));
    },
    async check() {
      const { views } = await answered((done) => store.get(tokens[last], done));
      if (views !== sessions[last].views) throw new Error(`A set was lost: ${sessions[last].views}, ${views} read.`);
    },
  };
}

async function touchOne(store, tokens) {
  const sessions = await loadSessions(store, tokens);
  return {
    once(i) {
      const session = sessions[i % tokens.length];
      session.touch();
      return answered((done) => store.touch(tokens[i % tokens.length], session, done));
    },
  };
}

// As express-session calls a store.
function answered(call) {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
}
