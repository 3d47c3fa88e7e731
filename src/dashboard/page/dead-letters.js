/* dead-letters.js: requests that failed for good, which an operator retries or drops. */

import { many } from './moments.js';
import { table } from './scrolling-table.js';

/** @typedef {import('./frame.js').Tools} Tools */

/** @param {*} value @param {Tools} tools */
export function deadLetters({ count: all, letters: rows }, tools) {
  const { h, may } = tools;
  if (all === 0) return h('p', { class: 'empty' }, 'There are no dead letters.');
  const canAct = may('operator');
  return [
    h(
      'p',
      { class: 'buttons' },
      `${many(all)} ${all === 1 ? 'request failed' : 'requests failed'} for good.`,
      canAct && h('button', { type: 'button', onclick: () => void retryAll(tools) }, 'Retry all'),
      canAct && h('button', { type: 'button', class: 'danger', onclick: () => void dropAll(all, tools) }, 'Drop all'),
    ),
    table(
      `The newest ${rows.length}; payloads are not shown`,
      ['When', 'Command', 'Session', 'Bytes', 'Why', ...(canAct ? ['What to do'] : [])].map((text) =>
        h('th', { scope: 'col', class: text === 'Bytes' ? 'number' : null }, text),
      ),
      rows.map((/** @type {*} */ { id, at, command, session, bytes: size, reason }) =>
        h(
          'tr',
          { key: id },
          h(
            'td',
            { class: 'when' },
            h('time', { datetime: new Date(at).toISOString() }, new Date(at).toLocaleString()),
          ),
          h('td', null, command === '' ? 'none' : command),
          h('td', { class: 'id' }, session),
          h('td', { class: 'number' }, size ?? '–'),
          h('td', { class: 'reason' }, reason),
          canAct &&
            h(
              'td',
              { class: 'acts' },
              h(
                'button',
                {
                  type: 'button',
                  'aria-label': `Retry dead letter ${id}`,
                  onclick: () => void one('retry', id, tools),
                },
                'Retry',
              ),
              ' ',
              h(
                'button',
                {
                  type: 'button',
                  class: 'danger',
                  'aria-label': `Drop dead letter ${id}`,
                  onclick: () => void one('drop', id, tools),
                },
                'Drop',
              ),
            ),
        ),
      ),
    ),
  ];
}

/** @param {'retry' | 'drop'} action @param {string} id @param {Tools} tools */
async function one(action, id, { act, announce, confirm }) {
  if (action === 'drop' && !(await confirm(`Forget the dead letter ${id}? What it asked for is never done.`, 'Drop')))
    return;
  // What went wrong stands on the page already.
  await act(action, { id }).then(
    () => announce(action === 'retry' ? 'It is at the end of its stream again.' : 'It is forgotten.'),
    () => undefined,
  );
}

/** @param {Tools} tools */
async function retryAll({ act, announce }) {
  await act('retry', { all: true }).then(
    ({ retried, skipped }) =>
      announce(`Put back ${retried}.${skipped === 0 ? '' : ` ${skipped} hold no request and were left.`}`),
    () => undefined,
  );
}

/** @param {number} all @param {Tools} tools */
async function dropAll(all, { act, announce, confirm }) {
  if (!(await confirm(`Forget all ${many(all)} dead letters? What they asked for is never done.`, 'Drop all'))) return;
  await act('drop', { all: true }).then(
    ({ dropped }) => announce(`Forgot ${dropped}.`),
    () => undefined,
  );
}
