/* explanation.js: why a condition holds or does not, as a tree that opens. */

import { h } from './dom.js';

/** One rule or segment: its outcome, and the conditions below it.
 *  @param {{ key: string, title: string, holds: boolean, outcome: string, explanation: any }} of
 *  @param {...import('./dom.js').Child} more
 *  @returns {HTMLElement} */
export function explained({ key, title, holds, outcome, explanation }, ...more) {
  return h(
    'details',
    { class: 'explained', key },
    h(
      'summary',
      null,
      h('span', { class: 'id' }, title),
      ' ',
      h('span', { class: holds ? 'mark good' : 'mark' }, outcome),
    ),
    ...more,
    h('ul', { class: 'conditions' }, conditionOf(explanation)),
  );
}

/** @param {any} explanation @returns {HTMLElement} */
function conditionOf({ holds, text, all, any, not }) {
  const parts = [...(all ?? any ?? []), ...(not ? [not] : [])];
  return h(
    'li',
    null,
    h('span', { class: holds ? 'mark good' : 'mark note' }, holds ? 'yes' : 'no'),
    ' ',
    text,
    parts.length > 0 && h('ul', null, parts.map(conditionOf)),
  );
}
