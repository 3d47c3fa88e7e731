// What is asked of a store, each as express-session does it. `stage`: { redis, usual, eager, tokens, eagerTokens };
// the answer is that of measureWindow. Sessions are loaded before the window opens; a set that wrote nothing throws.
import { measureWindow, runLanes, sumWindows } from './bench-window.js';
import { createSession, loadSessions } from './store-stage.js';

export const STORE_OPERATIONS = {
  get({ redis, usual, tokens }, load) {
    const once = (i) => usual.store.get(tokens[i % tokens.length]);
    return measureWindow(redis, () => runLanes({ ...load, once }));
  },

  set({ redis, usual, tokens }, load) {
    return setAll(redis, usual, tokens, load);
  },

  /** Each save moves the session's end too. */
  setEager({ redis, eager, eagerTokens }, load) {
    return setAll(redis, eager, eagerTokens, load);
  },

  /** Each session has been saved by another request since it was loaded. */
  async setContended({ redis, usual, tokens }, { count, inFlight }) {
    const windows = [];
    for (let left = count; left > 0; left -= tokens.length) {
      const some = tokens.slice(0, left);
      const late = await loadSessions(usual, some);
      const early = await loadSessions(usual, some);
      const theme = `theme ${left}`;
      const saveEarly = (i) => {
        early[i].theme = theme;
        return usual.store.set(some[i], early[i]);
      };
      await runLanes({ count: some.length, inFlight, once: saveEarly });
      windows.push(await setLoaded(redis, usual, some, late, { count: some.length, inFlight }));
    }
    return sumWindows(windows);
  },

  create({ redis, usual }, { count, inFlight }) {
    const once = (i) => createSession(usual, i);
    return measureWindow(redis, () => runLanes({ count, inFlight, once }));
  },

  touch({ redis, usual, tokens }, load) {
    return touchAll(redis, usual, tokens, load);
  },

  /** Each touch moves the session's end. */
  touchEager({ redis, eager, eagerTokens }, load) {
    return touchAll(redis, eager, eagerTokens, load);
  },
};

async function setAll(redis, opened, tokens, load) {
  return setLoaded(redis, opened, tokens, await loadSessions(opened, tokens), load);
}

async function setLoaded(redis, opened, tokens, sessions, load) {
  const once = (i) => {
    const session = sessions[i % tokens.length];
    session.touch();
    session.views += 1;
    return opened.store.set(tokens[i % tokens.length], session);
  };
  const figures = await measureWindow(redis, () => runLanes({ ...load, once }));
  const last = (load.count - 1) % tokens.length;
  const { views } = await opened.store.get(tokens[last]);
  if (views !== sessions[last].views) throw new Error(`A set was lost: ${sessions[last].views} views, ${views} read.`);
  return figures;
}

async function touchAll(redis, opened, tokens, load) {
  const sessions = await loadSessions(opened, tokens);
  const once = (i) => {
    const session = sessions[i % tokens.length];
    session.touch();
    return opened.store.touch(tokens[i % tokens.length], session);
  };
  return measureWindow(redis, () => runLanes({ ...load, once }));
}
