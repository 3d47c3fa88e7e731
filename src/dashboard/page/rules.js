/* rules.js: what rules do, for how many segments hold, and drafts that wait for a decision. */

import { dataTable } from './data-table.js';
import { formField, problemAt, valuesOf } from './form-field.js';
import { many, moment } from './moments.js';

/** What is wrong, by draft and field. @type {Record<string, Record<string, string>>} */
const problems = {};

/** @param {HTMLElement} root @param {*} data @param {import('./frame.js').Tools} tools */
export function render(root, data, tools) {
  const { h, show } = tools;
  show(
    root,
    data.rulesProblem !== null && h('p', { class: 'trouble wide', key: 'rules-problem' }, data.rulesProblem),
    drafts(data, tools),
    rules(data, tools),
    segments(data, tools),
  );
}

/** @param {*} data @param {import('./frame.js').Tools} tools */
function rules({ rules: list }, { h }) {
  return h(
    'section',
    { class: 'card wide', key: 'rules', 'aria-labelledby': 'rules-title' },
    h('h2', { id: 'rules-title' }, 'Suggestions'),
    dataTable({
      caption: 'Suggestions, and how often they fired, were shown, taken and dismissed in all',
      columns: [
        { title: 'Rule' },
        { title: 'When' },
        { title: 'Suggests' },
        { title: 'Fired', isNumber: true },
        { title: 'Shown', isNumber: true },
        { title: 'Taken', isNumber: true },
        { title: 'Dismissed', isNumber: true },
      ],
      rows: list.map((/** @type {*} */ each) => ({
        key: each.rule,
        cells: [
          h('span', { class: 'id' }, each.rule),
          [
            h('span', { class: 'text' }, each.when),
            each.unless !== null && h('p', { class: 'quiet text' }, `unless ${each.unless}`),
          ],
          [
            h('span', { class: 'id' }, each.suggest),
            each.reason !== '' && h('p', { class: 'quiet text' }, each.reason),
          ],
          ...[each.fired, each.shown, each.taken, each.dismissed].map(many),
        ],
      })),
      empty: 'There are no suggestions in the rules.',
    }),
  );
}

/** @param {*} data @param {import('./frame.js').Tools} tools */
function segments({ segments: list, days }, { h }) {
  return h(
    'section',
    { class: 'card wide', key: 'segments', 'aria-labelledby': 'segments-title' },
    h('h2', { id: 'segments-title' }, 'Segments'),
    h(
      'p',
      { class: 'quiet' },
      'For about how many sessions and persons each held, of those that something asked about, by days of UTC.',
    ),
    dataTable({
      caption: 'Segments, and for how many they held by day',
      columns: [
        { title: 'Segment' },
        { title: 'When' },
        ...days.map((/** @type {string} */ day, /** @type {number} */ i) => ({
          title: i === 0 ? 'Today' : day.slice(5),
          isNumber: true,
        })),
      ],
      rows: list.map((/** @type {*} */ { segment, when, days: counts }) => ({
        key: segment,
        cells: [h('span', { class: 'id' }, segment), h('span', { class: 'text' }, when), ...counts.map(many)],
      })),
      empty: 'There are no segments in the rules.',
    }),
  );
}

/** @param {*} data @param {import('./frame.js').Tools} tools */
function drafts({ drafts: list, draftsProblem }, tools) {
  const { h } = tools;
  return h(
    'section',
    { class: 'wide stack', key: 'drafts', 'aria-labelledby': 'drafts-title' },
    h('h2', { id: 'drafts-title' }, 'Drafts of discover'),
    draftsProblem !== null && h('p', { class: 'problem', key: 'problem' }, draftsProblem),
    list.length === 0 &&
      h(
        'p',
        { class: 'empty', key: 'none' },
        'No draft waits for a decision. sessionwise discover proposes rules from baskets, logs or live counts.',
      ),
    h(
      'div',
      { class: 'cards' },
      list.map((/** @type {*} */ draft) => draftCard(draft, tools)),
    ),
  );
}

/** @param {*} draft @param {import('./frame.js').Tools} tools */
function draftCard({ name, when, suggest, reason, found }, tools) {
  const { h, may } = tools;
  const wrong = problems[name] ?? {};
  const part = encodeURIComponent(name);
  return h(
    'article',
    { class: 'card spaced', key: `draft-${name}`, 'aria-label': `Draft ${name}` },
    h('h3', null, h('span', { class: 'id' }, name)),
    h('p', { class: 'text' }, `When ${when}, suggest `, h('span', { class: 'id' }, suggest), '.'),
    reason !== '' && h('p', { class: 'quiet text' }, reason),
    found &&
      h(
        'p',
        null,
        `${many(found.baskets)} of ${many(found.of)} baskets, right in ${Math.round(100 * found.confidence)} %, ${found.lift} times as often as without it. From `,
        h('span', { class: 'text' }, found.from),
        ', ',
        moment(h, Date.parse(found.at)),
        '.',
      ),
    may('operator') &&
      h(
        'form',
        { onsubmit: (/** @type {SubmitEvent} */ event) => void approve(event, name, tools) },
        h(
          'details',
          { key: 'other' },
          h('summary', null, 'Another name or reason'),
          formField({
            label: 'Name',
            hint: 'Empty: as it is.',
            problem: wrong.as,
            props: { id: `as-${part}`, name: 'as', maxlength: 128, autocomplete: 'off' },
          }),
          formField({
            label: 'Reason',
            hint: 'For visitors. Empty: as it is.',
            problem: wrong.reason,
            props: { id: `reason-${part}`, name: 'reason', autocomplete: 'off' },
          }),
        ),
        h('p', { class: 'problem', key: 'refused', role: 'alert', hidden: !wrong.name }, wrong.name),
        h(
          'p',
          { class: 'buttons' },
          h('button', { type: 'submit', class: 'primary' }, 'Approve', h('span', { class: 'hidden' }, `: ${name}`)),
          h(
            'button',
            { type: 'button', class: 'danger', onclick: () => void reject(name, tools) },
            'Reject',
            h('span', { class: 'hidden' }, `: ${name}`),
          ),
        ),
      ),
  );
}

/** @param {SubmitEvent} event @param {string} name @param {import('./frame.js').Tools} tools */
async function approve(event, name, { act, announce, redraw }) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.currentTarget);
  const { as, reason } = valuesOf(event);
  try {
    const approved = await act('approve', { name, ...(as && { as }), ...(reason && { reason }) });
    delete problems[name];
    announce(`Approved ${approved.name}: services that follow the file suggest it within seconds.`);
  } catch (error) {
    problems[name] = problemAt(/** @type {Error} */ (error).message, ['as', 'reason'], 'name');
    if (!problems[name]?.name) form.querySelector('details')?.setAttribute('open', '');
  }
  redraw();
}

/** @param {string} name @param {import('./frame.js').Tools} tools */
async function reject(name, { act, announce, confirm, redraw }) {
  if (!(await confirm(`Reject ${name}? It is not proposed again.`, 'Reject'))) return;
  try {
    await act('reject', { name });
    announce(`Rejected ${name}.`);
  } catch (error) {
    problems[name] = { name: /** @type {Error} */ (error).message };
  }
  redraw();
}
