/* live-script.js: `sessionwise.on(event, callback)` for pages that listen: new notices, counts, suggestions.
 *
 * All tabs of a browser share one stream, because browsers keep six connections to a host over HTTP/1.1: a seventh tab with a
 * stream of its own would get no answer at all. The tab that has the lock opens the stream and passes on to the others what
 * it hears; when it is closed, the next one goes on behind the last event that it knows. Where there are no locks (a page
 * over plain http), a tab has its own stream, and only while it is visible.
 *
 * Tabs share what concerns the same visitor only: lock and channel are named by a mark, which the site answers to each page
 * (HEAD). A stream of somebody else than the mark says is refused, so behind a login or logout the tabs ask anew.
 *
 * It is served as page-script.js is: see there for what `npm run browser-script` takes out. */
(() => {
  const own = /** @type {HTMLScriptElement} */ (document.currentScript);
  const page = /** @type {*} */ (window);
  if (!own || page.sessionwise) return;

  const LONGEST_WAIT_MS = 30000;
  const SILENCE_MS = 3000;
  const MOST_TOLD = 500;
  const PAGE_MS = 10000;
  const ONCE = ['notice', 'edited', 'withdrawn', 'suggestion'];
  const { doNotTrack, globalPrivacyControl, locks } = /** @type {*} */ (navigator);
  const hasLocks = locks && page.BroadcastChannel;
  const endpoint = new URL('.', own.src).href;
  const listeners = { unread: [], notice: [], edited: [], withdrawn: [], suggestion: [] };
  for (const name of ['open', 'stale', 'logged-out']) listeners[name] = [];

  /** Whom the stream is about; undefined while that is not known. */
  let mark;
  /** The id of the last event, of this tab's stream or another's. */
  let last;
  let counts;
  /** What was suggested last, for tabs whose pages it came of and that did not listen yet. */
  let suggested = [];
  /** Ids of notices that were told, and of other events. */
  const told = new Set();
  let isStarted = false;
  let tries = 0;
  let timer;
  let silence;
  let channel;
  let source;
  let controller;
  let release;

  const nameOfShare = () => `sessionwise ${endpoint} ${mark}`;
  const isVisible = () => document.visibilityState === 'visible';
  // Ids are two or three numbers: milliseconds, a number within them, and a time.
  const isAfter = (id, other) => {
    const [one, two] = [id, other].map((each) => each.split(/[-.]/).map(Number));
    for (const i of [0, 1, 2]) if ((one[i] || 0) !== (two[i] || 0)) return (one[i] || 0) > (two[i] || 0);
    return false;
  };
  const run = (name, ...values) => {
    // What one callback throws is told as an error of the page, and the others run.
    for (const callback of listeners[name]) queueMicrotask(() => callback(...values));
  };

  const take = ({ name, data, id }) => {
    if (id && (!last || isAfter(id, last))) last = id;
    if (name === 'unread') {
      if (counts && counts.unread === data.unread && counts.unseen === data.unseen) return;
      counts = data;
      return run(name, data.unread, data);
    }
    if (ONCE.includes(name)) {
      // It may come twice: of two streams, while another tab takes over.
      const event = name === 'notice' ? data.id : name + id;
      if (told.has(event)) return;
      told.add(event);
      if (told.size > MOST_TOLD) told.delete(told.values().next().value);
      // It may be published again, as another one.
      if (name === 'withdrawn') told.delete(data.id);
    }
    if (name === 'suggestion') suggested = [...suggested, { name, data, id, at: Date.now() }].slice(-10);
    run(name, data);
    if (name === 'logged-out') again();
  };

  const leave = () => {
    clearTimeout(timer);
    clearTimeout(silence);
    controller?.abort();
    release?.();
    source?.close();
    channel?.close();
    controller = release = source = channel = undefined;
  };
  const again = (leastMs = 0) => {
    leave();
    const wait = Math.min(1000 * 2 ** tries, LONGEST_WAIT_MS);
    tries += 1;
    timer = setTimeout(join, Math.max(leastMs, wait * (0.5 + Math.random())));
  };

  const listen = () => {
    clearTimeout(silence);
    source?.close();
    const from = last ? `&after=${last}` : '';
    const stream = new EventSource(`${endpoint}?visitor=${mark}${from}`);
    source = stream;
    for (const name of Object.keys(listeners)) {
      stream.addEventListener(name, (message) => {
        // The browser's own event "open" has no data.
        if (source !== stream || message.data === undefined) return;
        tries = 0;
        const event = { name, data: JSON.parse(message.data), id: message.lastEventId };
        channel?.postMessage(event);
        take(event);
      });
    }
    stream.onerror = () => {
      // Mostly the browser comes back by itself. It does not behind an answer that is no stream.
      if (source === stream && stream.readyState === 2) again();
    };
  };

  const lead = (options) => {
    const mine = new AbortController();
    controller?.abort();
    controller = mine;
    const hold = () =>
      new Promise((resolve) => {
        release = () => resolve(0);
        if (mine.signal.aborted) release();
        else listen();
      });
    locks.request(nameOfShare(), options || { signal: mine.signal }, hold).catch(() => {
      if (mine.signal.aborted) return;
      // The browser gives no locks to this page.
      if (!release) return listen();
      // Another tab took the lock, because this one was silent.
      source?.close();
      source = release = undefined;
      lead();
    });
  };
  // A tab that the browser has put to sleep keeps its lock and says nothing.
  const ask = () => {
    if (source || !channel || !isVisible()) return;
    clearTimeout(silence);
    channel.postMessage('who');
    silence = setTimeout(() => lead({ steal: true }), SILENCE_MS);
  };
  const follow = () => {
    channel = new BroadcastChannel(nameOfShare());
    channel.onmessage = ({ data }) => {
      if (data !== 'who') {
        clearTimeout(silence);
        if (data.name) take(data);
      } else if (source) {
        // With the place: the tab that leads next goes on from here, and not behind what this one did not hear any more.
        channel.postMessage(counts ? { name: 'unread', data: counts, id: last } : {});
        for (const event of suggested) if (Date.now() - event.at < PAGE_MS) channel.postMessage(event);
      }
    };
    lead();
    ask();
  };

  const joinAs = (answer) => {
    const status = answer ? answer.status : 503;
    if (status >= 500 || status === 429) return again(1000 * (answer?.headers.get('retry-after') || 0));
    const found = answer.headers.get('sessionwise-visitor');
    // Nobody who could be told anything, or nobody there who tells.
    if (status !== 200 || !found) return;
    if (mark !== found) {
      counts = last = undefined;
      suggested = [];
      told.clear();
    }
    mark = found;
    if (hasLocks) follow();
    else if (isVisible()) listen();
  };
  const join = () => {
    leave();
    const mine = new AbortController();
    controller = mine;
    const answered = (answer) => {
      if (!mine.signal.aborted) joinAs(answer);
    };
    fetch(endpoint, { method: 'HEAD', cache: 'no-store', signal: mine.signal }).then(answered, () => answered());
  };

  const start = () => {
    if (isStarted || globalPrivacyControl || doNotTrack === '1') return;
    isStarted = true;
    document.addEventListener('visibilitychange', () => {
      if (hasLocks) ask();
      else if (isVisible()) join();
      else leave();
    });
    // A page that is put away must not keep the others from leading.
    addEventListener('pagehide', leave);
    addEventListener('pageshow', ({ persisted }) => {
      if (persisted) join();
    });
    if (/** @type {*} */ (document).prerendering) document.addEventListener('prerenderingchange', join, { once: true });
    else join();
  };

  page.sessionwise = {
    on(name, callback) {
      if (!Object.hasOwn(listeners, name)) {
        throw new RangeError(`sessionwise.on: no event "${name}". There are ${Object.keys(listeners).join(', ')}.`);
      }
      if (typeof callback !== 'function') throw new TypeError('sessionwise.on: give a function as callback.');
      listeners[name].push(callback);
      if (name === 'unread' && counts) queueMicrotask(() => callback(counts.unread, counts));
      start();
      return () => {
        listeners[name] = listeners[name].filter((each) => each !== callback);
      };
    },
  };
})();
