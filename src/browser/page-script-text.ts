/* Made of page-script.js by `npm run browser-script`: change that one. */

/** Text of the script for pages, as it is served. */
export const PAGE_SCRIPT: string = `(() => {
const own = (document.currentScript);
const key = Symbol.for('sessionwise');
const { doNotTrack, globalPrivacyControl } = (navigator);
if (!own || window[key] || top !== window || globalPrivacyControl || doNotTrack === '1') return;
window[key] = 1;
const MOST_WAITING = 20;
const CHECK_MS = 20000;
const endpoint = new URL('view', own.src).href;
const minuteOf = (time) => Math.floor(time / 60000);
const isVisible = () => document.visibilityState === 'visible';
let path = location.pathname;
let minute = minuteOf(performance.timeOrigin);
let isStarted = false;
let isError = false;
let isShown = false;
let isSending = false;
let waiting = [];
const send = () => {
if (isSending || !waiting.length) return;
isSending = true;
const done = () => {
isSending = false;
send();
};
fetch(endpoint, { method: 'POST', body: waiting.shift(), keepalive: true }).then(done, done);
};
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
const entry = (performance.getEntriesByType('navigation')[0] || {});
const { name, serverTiming, transferSize, decodedBodySize, workerStart, responseStatus } = entry;
isError = responseStatus >= 400;
const mark = serverTiming?.find((each) => each.name === 'sessionwise')?.description;
const isCached = !transferSize && !workerStart && decodedBodySize > 0;
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
isSending = false;
if (!isError) view(location.pathname);
});
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
if ( (document).prerendering) document.addEventListener('prerenderingchange', begin, { once: true });
else begin();
})();`;
