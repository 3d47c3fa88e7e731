// @ts-check
import { nameOf } from '../catalogue.js';
import { answerOf, codeOf, ruleOf } from './code.js';
import { STEPS } from './steps.js';
import { isMissing, wordsOf } from './words.js';

/* panel-state.js: what the panel shows, as JSON. All of its words are made here; public/panel.js only puts them in. */

/** @import { BrowserLog, Call, Page, VisitorName } from './page-log.js' */

/** @type {Record<string, string>} */
const TITLES = {
  '/': 'the shop',
  '/cart': 'the cart',
  '/confirm-purchase': 'the checkout',
  '/notifications': 'the notices',
  '/login': 'the login',
  '/devices': 'the devices',
  '/write-a-notice': 'the form for notices',
};
/** What a form did, by its path. @type {Record<string, string>} */
const DEEDS = {
  '/cart': 'Before it, something was put into the cart',
  '/cart/remove': 'Before it, something was taken out of the cart',
  '/tips/dismiss': 'Before it, a tip was not wanted',
  '/login': 'Before it, somebody logged in',
  '/logout': 'Before it, somebody logged out',
  '/notifications': 'Before it, a notice was marked',
};

const NOTED = ['sessionwise.shown', 'sessionwise.publish'];
const FIRST = ['sessionwise.suggestions', 'sessionwise.unseen', 'sessionwise.notices.list', 'sessionwise.visit'];

/** @param {BrowserLog} log @param {{ state: string }} [service] */
export function panelState({ pages, done }, service) {
  /** @param {VisitorName} name */
  const of = (name) => visitorState(pages.filter(({ visitor }) => visitor === name));
  return {
    service: service?.state ?? 'unknown',
    last: pages.at(-1)?.visitor ?? 'first',
    steps: STEPS.map(({ name }) => ({ name, done: done.has(name) })),
    visitors: { first: of('first'), second: of('second') },
  };
}

/** The last page that was shown, and the forms that led to it. @param {Page[]} pages */
function visitorState(pages) {
  const at = pages.findLastIndex(({ method, status }) => method === 'GET' && !isRedirect(status));
  const page = pages[at];
  if (!page) return null;
  const formAt = pages.slice(0, at).findLastIndex(({ method, status }) => method === 'GET' && !isRedirect(status));
  const visit = pages
    .flatMap(({ calls }) => calls)
    .findLast(({ name, answer }) => name === 'sessionwise.visit' && answer !== undefined);
  const { totalPages, uniquePages } = /** @type {any} */ (visit?.answer) ?? {};
  const asked = page.calls.filter(({ name }) => name.startsWith('sessionwise.'));
  return {
    title: titleOf(page.path),
    path: page.path,
    isWhole: page.status !== undefined,
    waitedMs: waitedMs(asked),
    isSentFirst: asked.length > 0 && asked.every(({ isBehind }) => isBehind),
    deadlineMs: page.deadlineMs,
    counted: page.counted,
    // A browser that asks not to be tracked is obeyed; so is a robot ignored.
    isNobody: page.status !== undefined && page.subject === undefined,
    isDegraded: asked.some(isMissing),
    calls: page.calls.toSorted(byWeight).map(callState),
    before: pages
      .slice(formAt + 1, at)
      .filter(({ calls }) => calls.length > 0)
      .map(({ path, calls }) => ({ title: DEEDS[path] ?? 'Before it', calls: calls.map(callState) })),
    knows: visit ? { totalPages, uniquePages } : null,
  };
}

/** How long a page waited: for the slowest of each turn. What it only notes it does not wait for.
 *  @param {readonly Call[]} calls */
function waitedMs(calls) {
  /** @type {Map<number, number>} */
  const slowest = new Map();
  for (const { name, turn, ms = 0 } of calls) {
    if (!NOTED.includes(name)) slowest.set(turn, Math.max(ms, slowest.get(turn) ?? 0));
  }
  return [...slowest.values()].reduce((sum, ms) => sum + ms, 0);
}

/** What changes the page most comes first. @param {Call} one @param {Call} other */
function byWeight(one, other) {
  return one.turn - other.turn || weightOf(one) - weightOf(other);
}

/** @param {Call} call */
function weightOf({ name }) {
  const place = FIRST.indexOf(name);
  return place < 0 ? FIRST.length : place;
}

/** @param {Call} call */
function callState(call) {
  const { name, ms, turn } = call;
  const words = wordsOf(call);
  const fired = words?.lines?.find(({ mood }) => mood === 'fired')?.rule;
  return {
    name,
    turn,
    ms,
    isMissing: isMissing(call),
    text: words?.text ?? 'It is shown as code alone.',
    lines: words?.lines ?? [],
    code: codeOf(call),
    answer: answerOf(call),
    rule: fired === undefined ? undefined : ruleOf(fired),
  };
}

/** @param {string} path */
function titleOf(path) {
  const [plain = '/'] = path.split('?');
  const slug = /^\/added(?:-sync)?\/([^/]+)$/.exec(plain)?.[1];
  if (slug === undefined) return TITLES[plain] ?? 'this page';
  return `“${nameOf(decodedOf(slug))}”`;
}

/** @param {string} text */
function decodedOf(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param {number | undefined} status */
function isRedirect(status) {
  return status !== undefined && status >= 300 && status < 400 && status !== 304;
}
