/* Made of live-script.js by `npm run browser-script`: change that one. */

/** Text of the script for pages that listen, as it is served. */
export const LIVE_SCRIPT: string = `(() => {
const own = (document.currentScript);
const page = (window);
if (!own || page.sessionwise) return;
const LONGEST_WAIT_MS = 30000;
const SILENCE_MS = 3000;
const MOST_TOLD = 500;
const PAGE_MS = 10000;
const ONCE = ['notice', 'edited', 'withdrawn', 'suggestion'];
const { doNotTrack, globalPrivacyControl, locks } = (navigator);
const hasLocks = locks && page.BroadcastChannel;
const endpoint = new URL('.', own.src).href;
const listeners = { unread: [], notice: [], edited: [], withdrawn: [], suggestion: [] };
for (const name of ['open', 'stale', 'logged-out']) listeners[name] = [];
let mark;
let last;
let counts;
let suggested = [];
const told = new Set();
let isStarted = false;
let tries = 0;
let timer;
let silence;
let channel;
let source;
let controller;
let release;
const nameOfShare = () => \`sessionwise \${endpoint} \${mark}\`;
const isVisible = () => document.visibilityState === 'visible';
const isAfter = (id, other) => {
const [one, two] = [id, other].map((each) => each.split(/[-.]/).map(Number));
for (const i of [0, 1, 2]) if ((one[i] || 0) !== (two[i] || 0)) return (one[i] || 0) > (two[i] || 0);
return false;
};
const run = (name, ...values) => {
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
const event = name === 'notice' ? data.id : name + id;
if (told.has(event)) return;
told.add(event);
if (told.size > MOST_TOLD) told.delete(told.values().next().value);
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
const from = last ? \`&after=\${last}\` : '';
const stream = new EventSource(\`\${endpoint}?visitor=\${mark}\${from}\`);
source = stream;
for (const name of Object.keys(listeners)) {
stream.addEventListener(name, (message) => {
if (source !== stream || message.data === undefined) return;
tries = 0;
const event = { name, data: JSON.parse(message.data), id: message.lastEventId };
channel?.postMessage(event);
take(event);
});
}
stream.onerror = () => {
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
if (!release) return listen();
source?.close();
source = release = undefined;
lead();
});
};
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
addEventListener('pagehide', leave);
addEventListener('pageshow', ({ persisted }) => {
if (persisted) join();
});
if ( (document).prerendering) document.addEventListener('prerenderingchange', join, { once: true });
else join();
};
page.sessionwise = {
on(name, callback) {
if (!Object.hasOwn(listeners, name)) {
throw new RangeError(\`sessionwise.on: no event "\${name}". There are \${Object.keys(listeners).join(', ')}.\`);
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
})();`;
