/* page-script.js: counts for pages what the server does not see: navigation within a page, documents of caches, pages that
 * come back from the back/forward cache, and minutes in which a page is looked at.
 *
 * The server marks each document (`Server-Timing: sessionwise`) as decided by it ("server": counted, or not to be) or left to
 * the script ("browser"). A mark that came out of the browser's own cache is of an earlier request. Without a mark only the
 * server can know. `docs/browser.md` says what follows.
 *
 * It is served without its comments and indentation, which `npm run browser-script` takes out: a comment stands on lines of
 * its own, no text has several lines, and each statement ends with its line. */
(() => {
  const own = /** @type {HTMLScriptElement} */ (document.currentScript);
  const key = Symbol.for('sessionwise');
  const { doNotTrack, globalPrivacyControl } = /** @type {*} */ (navigator);
  // Not twice on a page, not in frames, and not for visitors who do not want it: nothing is sent at all.
  if (!own || window[key] || top !== window || globalPrivacyControl || doNotTrack === '1') return;
  window[key] = 1;

  const MOST_WAITING = 20;
  const CHECK_MS = 20000;
  const endpoint = new URL('view', own.src).href;
  const minuteOf = (time) => Math.floor(time / 60000);
  const isVisible = () => document.visibilityState === 'visible';

  /** The page that was counted last, or is decided about at the start. */
  let path = location.pathname;
  // That of the document, which the server has noted with its view.
  let minute = minuteOf(performance.timeOrigin);
  let isStarted = false;
  // A document with an error's status is no view, whenever it is shown. Not every browser tells the status.
  let isError = false;
  let isShown = false;
  let isSending = false;
  let waiting = [];

  // One after another: the answer to the first message of a visitor brings the cookie.
  const send = () => {
    if (isSending || !waiting.length) return;
    isSending = true;
    const done = () => {
      isSending = false;
      send();
    };
    fetch(endpoint, { method: 'POST', body: waiting.shift(), keepalive: true }).then(done, done);
  };
  // The page may be gone before an answer comes.
  const sendAll = () => {
    for (const message of waiting) navigator.sendBeacon(endpoint, message);
    waiting = [];
  };
  const add = (message) => {
    if (waiting.length < MOST_WAITING) waiting.push(JSON.stringify(message));
  };

  const view = (page, more) => {
    path = page;
    minute = minuteOf(Date.now());
    // A browser or a proxy may send a message twice.
    add({ view: page, once: Math.random().toString(36).slice(2), ...more });
    send();
  };
  const noteMoved = () => {
    if (isStarted && location.pathname !== path) view(location.pathname);
  };
  const noteActive = () => {
    if (minuteOf(Date.now()) === minute) return;
    minute = minuteOf(Date.now());
    add({ active: path });
  };

  const start = () => {
    if (isStarted) return;
    isStarted = true;
    const entry = /** @type {*} */ (performance.getEntriesByType('navigation')[0] || {});
    const { name, serverTiming, transferSize, decodedBodySize, workerStart, responseStatus } = entry;
    isError = responseStatus >= 400;
    const mark = serverTiming?.find((each) => each.name === 'sessionwise')?.description;
    const isCached = !transferSize && !workerStart && decodedBodySize > 0;
    // A script that comes late finds another page than the document was.
    if (name) path = new URL(name).pathname;
    if (!isError && (isCached || mark !== 'server')) view(path, isCached || mark ? {} : { unsure: true });
    noteMoved();
  };
  const leave = () => {
    if (isShown) noteActive();
    isShown = false;
    sendAll();
  };
  const noteVisibility = () => {
    if (!isVisible()) return leave();
    isShown = true;
    noteActive();
    send();
  };

  const begin = () => {
    isShown = isVisible();
    // Of what the browser got, it tells the size when it has all of it.
    if (document.readyState === 'complete') start();
    else addEventListener('load', start);
    setInterval(() => {
      if (isShown) noteActive();
      send();
    }, CHECK_MS);
    document.addEventListener('visibilitychange', noteVisibility);
    addEventListener('pagehide', () => {
      start();
      leave();
    });
    addEventListener('pageshow', ({ persisted }) => {
      isShown = isVisible();
      if (!persisted) return;
      // What was under way when the page was put away may never settle.
      isSending = false;
      if (!isError) view(location.pathname);
    });
    // Behind the step that moves on: of several moves in one step only the last page is seen.
    const noteLater = () => setTimeout(noteMoved);
    if (window.navigation) {
      navigation.addEventListener('currententrychange', noteLater);
      return;
    }
    addEventListener('popstate', noteLater);
    for (const name of ['pushState', 'replaceState']) {
      const original = history[name];
      history[name] = function (...values) {
        original.apply(this, values);
        noteLater();
      };
    }
  };

  // A page that is rendered before it is asked for is no view until it is shown.
  if (/** @type {*} */ (document).prerendering) document.addEventListener('prerenderingchange', begin, { once: true });
  else begin();
})();
