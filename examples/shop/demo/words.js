// @ts-check
import { nameOf, productOf } from '../catalogue.js';
import { blockedOf, listed, missingOf, nameOfPath, reasonOf } from './reasons.js';

/* words.js: what a page asked and was told, in the words of the visitor whom it is about. */

/** @import { ExplainedSuggestions } from 'sessionwise'
 *  @import { Call } from './page-log.js' */
/** A sentence, and those that belong to it. `mood`: how a line of a rule is shown.
 *  @typedef {{ text: string, lines?: { mood: 'fired' | 'waiting' | 'away', text: string, rule?: string }[] }} Words */

const MOODS = ['fired', 'away', 'waiting'];

/** What each answer says. A name that is missing is shown as code alone.
 *  @type {Record<string, (answer: any, args: readonly any[], call: Call) => Words>} */
const WORDS = {
  'sessionwise.visit': ({ totalPages, uniquePages, newToSite, previouslyVisited }) =>
    say(
      newToSite
        ? 'You are here for the first time.'
        : `${pages(totalPages)} so far, ${uniquePages} of them different. ${previouslyVisited ? 'You have been on this one before.' : 'This one is new to you.'}`,
    ),
  'sessionwise.unseen': (/** @type {string[]} */ fresh, [items]) => {
    const seen = items.filter((/** @type {string} */ item) => !fresh.includes(item)).map(nameOfPath);
    if (seen.length === 0) return say(`All ${items.length} featured things are new to you: show them all.`);
    return say(`You have seen the ${listed(seen)}: show the other ${fresh.length} of ${items.length}.`);
  },
  'sessionwise.notices.counts': ({ unseen }) =>
    say(
      unseen === 0
        ? 'No news since you last looked.'
        : `${unseen} ${unseen === 1 ? 'notice has' : 'notices have'} come since you last looked: the bell shows it.`,
    ),
  'sessionwise.notices.list': ({ notices, unread }) =>
    say(`${notices.length} notices are for you, ${unread} of them unread.`),
  'sessionwise.notices.markAllSeen': () => say('You are looking at your notices, so the bell needs no number.'),
  'sessionwise.notices.markRead': () => say('You have read a notice, here and wherever else you are logged in.'),
  'sessionwise.notices.markUnread': () => say('A notice is unread again.'),
  'sessionwise.notices.dismiss': () => say('You do not want to see this notice again.'),
  'sessionwise.notices.markAllRead': () => say('You have read all notices.'),
  'sessionwise.notices.mute': () => say('You want no notices that go to everybody.'),
  'sessionwise.notices.unmute': () => say('You want the notices that go to everybody again.'),
  'sessionwise.suggestions': (answer, _args, { explained }) =>
    suggestions(answer, /** @type {ExplainedSuggestions | undefined} */ (explained)),
  'sessionwise.shown': (_answer, [rules]) =>
    say(
      rules.length === 0 ? 'No tip was shown.' : 'Noted that you were shown it, so that a tip can be given up in time.',
    ),
  'sessionwise.taken': () => say('Noted that you took the tip.'),
  'sessionwise.dismiss': () => say('Noted that you do not want this tip: it will not come back.'),
  'sessionwise.track': (_answer, [, details]) =>
    say(
      `Noted that you put the ${nameOfPath(details?.items?.[0] ?? 'thing')} into the cart. The rules can ask about it.`,
    ),
  'sessionwise.figures': ({ totalPages }) => say(`${pages(totalPages)} so far. This one does not count.`),
  'sessionwise.publish': () => say('Noted that you have seen this thing.'),
  'session.increment': (count, [field]) =>
    say(
      `Your cart has the ${nameOfPath(String(field).replace('cart:', ''))}${count > 1 ? `, ${count} times` : ''}. Two clicks at once count as two.`,
    ),
  'session.setIf': () => say('Your session was written at once, whoever else was writing.'),
  'session.rotate': () => say('Your cookie got another secret. The cart stays.'),
  'session.identify': () =>
    say('You are a person now: what was known of your browser is known of you, on all your devices.'),
};

/** What did not come. @type {Record<string, string>} */
const WITHOUT = {
  'sessionwise.visit': 'No answer. The page left your figures out.',
  'sessionwise.unseen': 'No answer. The page showed everything, as to somebody new.',
  'sessionwise.notices.counts': 'No answer. The bell has no number.',
  'sessionwise.notices.list': 'No answer. The page showed the shop’s own notices, as unread.',
  'sessionwise.suggestions': 'No answer. The page made no suggestion.',
};

/** @param {Call} call @returns {Words | undefined} */
export function wordsOf(call) {
  const { name, args, answer, ms, failed } = call;
  if (ms === undefined) return say('Under way …');
  if (failed) return say('It was refused. The page said so.');
  if (isMissing(call)) return say(WITHOUT[name] ?? 'No answer. The page went on without it.');
  return WORDS[name]?.(answer, args, call);
}

/** Whether no answer came. @param {Call} call */
export function isMissing({ name, answer, ms, failed }) {
  if (ms === undefined || failed) return false;
  const isDone = name.startsWith('sessionwise.') && answer !== undefined && answer !== false;
  return name.startsWith('sessionwise.') && !isDone;
}

/** @param {readonly any[]} made @param {ExplainedSuggestions | undefined} explained @returns {Words} */
function suggestions(made, explained) {
  const names = made.map(({ rule, suggest }) => productOf(rule)?.name ?? nameOf(suggest));
  const text = names.length === 0 ? 'Nothing to suggest on this page.' : `Suggest ${listed(names.map(withArticle))}.`;
  /** @type {NonNullable<Words['lines']>} */
  const lines = [];
  for (const rule of explained?.rules ?? []) {
    const name = nameOf(rule.rule);
    const blocked = blockedOf(rule);
    const missing = missingOf(rule);
    if (rule.shown) lines.push({ mood: 'fired', rule: rule.rule, text: `${name}: ${reasonOf(rule)}.` });
    else if (rule.holds) lines.push({ mood: 'away', rule: rule.rule, text: `${name}: not again, it ${rule.hidden}.` });
    else if (blocked !== undefined) {
      lines.push({ mood: 'away', rule: rule.rule, text: `${name}: no, ${blocked}.` });
    } else if (missing !== undefined) {
      lines.push({ mood: 'waiting', rule: rule.rule, text: `${name}: not yet, ${missing}.` });
    }
  }
  return { text, lines: lines.toSorted((one, other) => MOODS.indexOf(one.mood) - MOODS.indexOf(other.mood)) };
}

/** @param {string} name */
function withArticle(name) {
  const lower = nameOfPath(name);
  return lower.endsWith('s') ? lower : `${/^(?:[aeio]|HDMI)/.test(lower) ? 'an' : 'a'} ${lower}`;
}

/** @param {number} count */
function pages(count) {
  return `${count} ${count === 1 ? 'page' : 'pages'}`;
}

/** @param {string} text @returns {Words} */
function say(text) {
  return { text };
}
