// @ts-check

import { isBlockedByCart } from './reasons.js';
import { isMissing } from './words.js';

/* steps.js: the guided path. What is done is found from real answers, in whatever order somebody gets there. */

/** @import { ExplainedSuggestions } from 'sessionwise'
 *  @import { BrowserLog, Call, Page } from './page-log.js' */
/** What one can press: a page that opens in the shop, a form of the shop, or a control of the panel.
 *  @typedef {{ label: string, open?: string, add?: string, press?: string }} Action */
/** @typedef {{ name: string, title: string, text: string, actions: Action[], learnt: string }} Step */

/** @type {readonly Step[]} */
export const STEPS = [
  {
    name: 'look',
    title: 'Look at something, and go back',
    text: 'The shop then shows what is still new to you.',
    actions: [
      { label: 'Open the television', open: '/added/tv' },
      { label: 'Back to the shop', open: '/' },
    ],
    learnt: 'The shop knew what you had seen, and made room.',
  },
  {
    name: 'tip',
    title: 'Get a tip that has a reason',
    text: 'Look at the wall mount too, then go to the checkout.',
    actions: [
      { label: 'Open the wall mount', open: '/added/tv-mount' },
      { label: 'To the checkout', open: '/confirm-purchase' },
    ],
    learnt: 'A rule fired, and it says why.',
  },
  {
    name: 'cart',
    title: 'Take the tip',
    text: 'Put the cable into the cart: who has it needs no tip.',
    actions: [
      { label: 'Add the cable', add: 'hdmi-cable' },
      { label: 'To the checkout again', open: '/confirm-purchase' },
    ],
    learnt: 'The rule knew the cart, so the tip went away.',
  },
  {
    name: 'second',
    title: 'Meet a second visitor',
    text: 'Somebody else opens the same shop: all is new to them.',
    actions: [{ label: 'Show the second visitor', press: 'second' }],
    learnt: 'Each visitor has counts and tips of their own.',
  },
  {
    name: 'off',
    title: 'Switch the service off, and on',
    text: 'No page fails without it. Open one while it is off, and one when it is back.',
    actions: [
      { label: 'Switch it off or on', press: 'service' },
      { label: 'Open the shop', open: '/' },
    ],
    learnt: 'Pages went on without answers, and had them again.',
  },
];

/** Notes what a page's answers show. @param {BrowserLog} log @param {Page} page */
export function noteProgress(log, page) {
  for (const call of page.calls) {
    if (call.ms === undefined || !call.name.startsWith('sessionwise.')) continue;
    if (isMissing(call)) log.wasOff = true;
    else noteAnswer(log, page, call);
  }
}

/** @param {BrowserLog} log @param {Page} page @param {Call} call */
function noteAnswer(log, { visitor }, { name, args, answer, explained }) {
  const { done, tips } = log;
  if (name === 'sessionwise.visit' && visitor === 'second') done.add('second');
  if (name === 'sessionwise.visit' && log.wasOff) done.add('off');
  if (visitor === 'second') return;
  if (name === 'sessionwise.unseen' && /** @type {any[]} */ (answer).length < /** @type {any} */ (args[0]).length) {
    done.add('look');
  }
  if (name !== 'sessionwise.suggestions') return;
  for (const { rule } of /** @type {{ rule: string }[]} */ (answer)) {
    tips.add(rule);
    done.add('tip');
  }
  const { rules } = /** @type {ExplainedSuggestions | undefined} */ (explained) ?? { rules: [] };
  if (rules.some((rule) => tips.has(rule.rule) && !rule.holds && isBlockedByCart(rule))) done.add('cart');
}
