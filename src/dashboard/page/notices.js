/* notices.js: lists of notices; writing, changing and taking away; when a notice was seen and read. */

import { dataTable } from './data-table.js';
import { formField, problemAt } from './form-field.js';
import { many, moment } from './moments.js';
import { noticeForm } from './notice-form.js';

/** The notice that is being changed, as it was when that began. @type {{ notice: any, of: any } | undefined} */
let editing;
/** @type {Record<string, string>} */
let problems = {};
const HOUR_SECONDS = 3600;
const MOST_HOURS = 35 * 24;

/** @param {HTMLElement} root @param {*} data @param {import('./frame.js').Tools} tools */
export function render(root, data, tools) {
  const { h, show, may, redraw } = tools;
  const edit = (/** @type {typeof editing} */ what) => {
    editing = what;
    redraw();
    if (what) document.getElementById('edit-text')?.focus();
  };
  show(
    root,
    may('editor') && noticeForm({ key: 'write', data, tools, redraw, subject: tools.query().get('subject') }),
    may('editor') &&
      editing &&
      noticeForm({ key: `edit-${editing.notice.id}`, data, tools, redraw, editing, done: () => edit(undefined) }),
    pick(data, tools, redraw),
    data.reach && reach(data.reach, data.now, tools),
    data.lists.length === 0 &&
      h(
        'p',
        { class: 'empty wide', key: 'none' },
        'No notice was published lately. Show a group or a segment, or write a notice.',
      ),
    data.lists.map((/** @type {*} */ list) => listCard(list, tools, edit)),
  );
}

/** @param {*} data @param {import('./frame.js').Tools} tools @param {() => void} redraw */
function pick({ lastLists, segments }, { h, follow }, redraw) {
  const show = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const values = Object.fromEntries(new FormData(form));
    const name = String(values.list ?? '').trim();
    problems = {};
    if (/^[A-Za-z0-9_.:@-]{1,128}$/.test(name)) follow({ [String(values.kind)]: name });
    else problems = problemAt('Give 1 to 128 of A-Z, a-z, 0-9 and _ . : @ -', [], 'list');
    redraw();
  };
  return h(
    'section',
    { class: 'card spaced', key: 'pick', 'aria-labelledby': 'pick-title' },
    h('h2', { id: 'pick-title' }, 'Show a list'),
    h(
      'form',
      { onsubmit: show },
      h(
        'div',
        { class: 'columns' },
        formField(
          { label: 'Kind', tag: 'select', props: { id: 'pick-kind', name: 'kind' } },
          h('option', { value: 'group' }, 'Group'),
          h('option', { value: 'segment' }, 'Segment'),
        ),
        formField({
          label: 'Name',
          problem: problems.list,
          props: { id: 'pick-list', name: 'list', list: 'known-lists', required: true, autocomplete: 'off' },
        }),
      ),
      h('button', { type: 'submit' }, 'Show'),
    ),
    h(
      'datalist',
      { id: 'known-lists' },
      [...new Set([...lastLists.map(nameOf), ...segments])].map((name) => h('option', { value: name })),
    ),
    lastLists.length > 0 && h('h3', null, 'Written to lately'),
    lastLists.length > 0 &&
      h(
        'ul',
        { class: 'links' },
        lastLists.map((/** @type {*} */ of) =>
          h('li', { key: JSON.stringify(of) }, h('a', { href: `notices?${new URLSearchParams(of)}` }, titleOf(of))),
        ),
      ),
  );
}

/** @param {*} list @param {import('./frame.js').Tools} tools @param {(what: { notice: any, of: any } | undefined) => void} edit */
function listCard({ of, notices, count }, tools, edit) {
  const { h, query, follow } = tools;
  const key = `list-${JSON.stringify(of)}`;
  const look = (/** @type {string} */ id) => {
    const next = query();
    if ([...next.keys()].every((name) => name === 'notice'))
      for (const [kind, name] of Object.entries(of)) next.set(kind, String(name));
    next.set('notice', id);
    follow(next.toString());
  };
  return h(
    'section',
    { class: 'card wide notices', key, 'aria-label': titleOf(of) },
    h('h2', null, titleOf(of)),
    count > notices.length && h('p', { class: 'quiet' }, `The newest ${notices.length} of ${many(count)}.`),
    dataTable({
      caption: `Notices: ${titleOf(of)}`,
      columns: [
        { title: 'Notice' },
        { title: 'State' },
        { title: 'Shown from' },
        { title: 'Until' },
        { title: 'Seen', isNumber: true },
        { title: 'Read', isNumber: true },
      ],
      rows: notices.map((/** @type {*} */ notice) => ({
        key: notice.id,
        cells: [
          [
            notice.title !== null && h('strong', { class: 'text' }, notice.title),
            h('p', { class: 'text' }, notice.text),
            h('span', { class: 'id quiet' }, notice.id),
            h(
              'div',
              { class: 'buttons' },
              named(h, 'Over time', notice.id, { onclick: () => look(notice.id) }),
              tools.may('editor') && named(h, 'Edit', notice.id, { onclick: () => edit({ notice, of }) }),
              tools.may('editor') &&
                named(h, 'Withdraw', notice.id, { class: 'danger', onclick: () => void withdraw(notice, of, tools) }),
            ),
          ],
          [
            h('span', { class: notice.state === 'shown' ? 'mark good' : 'mark' }, notice.state),
            notice.severity !== null && h('span', { class: markOf(notice.severity) }, notice.severity),
          ],
          moment(h, notice.at),
          notice.expiresAt === null ? h('span', { class: 'quiet' }, 'no end') : moment(h, notice.expiresAt),
          many(notice.seen),
          many(notice.read),
        ],
      })),
      empty: 'This list has no notices.',
    }),
  );
}

/** @param {typeof import('./dom.js').h} h @param {string} verb @param {string} id @param {Record<string, any>} props */
function named(h, verb, id, props) {
  return h('button', { type: 'button', key: verb, ...props }, verb, h('span', { class: 'hidden' }, `: ${id}`));
}

/** @param {*} notice @param {*} of @param {import('./frame.js').Tools} tools */
async function withdraw({ id, title, text }, of, { act, announce, confirm }) {
  const what = (title ?? text).slice(0, 60);
  if (!(await confirm(`Withdraw “${what}” wherever it stands? Pages show it no more.`, 'Withdraw'))) return;
  try {
    await act('withdraw', { id, ...('subject' in of && { to: of }) });
    announce('The notice was withdrawn.');
  } catch {
    // It was said.
  }
}

/** @param {*} reachOf @param {number} now @param {import('./frame.js').Tools} tools */
function reach({ id, hours }, now, { h, chart }) {
  const last = Math.floor(now / 1000 / HOUR_SECONDS);
  const first = hours.length === 0 ? last : Math.max(last - MOST_HOURS, hours[0].at / 1000 / HOUR_SECONDS - 1);
  const byHour = new Map(hours.map((/** @type {*} */ each) => [each.at / 1000 / HOUR_SECONDS, each]));
  const times = [];
  const [seen, read] = [[], []].map((each) => /** @type {number[]} */ (each));
  for (let hour = first, sum = { seen: 0, read: 0 }; hour <= last; hour += 1) {
    const of = byHour.get(hour) ?? { seen: 0, read: 0 };
    sum = { seen: sum.seen + of.seen, read: sum.read + of.read };
    times.push(hour * HOUR_SECONDS);
    seen?.push(sum.seen);
    read?.push(sum.read);
  }
  return h(
    'section',
    { class: 'card wide', key: 'reach', 'aria-labelledby': 'reach-title' },
    h('h2', { id: 'reach-title' }, 'Seen and read over time: ', h('span', { class: 'id' }, id)),
    h('p', { class: 'quiet' }, 'By the hour, of the last five weeks, each session and person once.'),
    hours.length === 0
      ? h('p', { class: 'empty' }, 'Nobody has seen it in the last five weeks.')
      : chart({
          key: `reach-${id}`,
          title: 'How many had seen and read it by then',
          times,
          series: [
            { label: 'Seen', values: seen ?? [], format: many },
            { label: 'Read', values: read ?? [], format: many },
          ],
        }),
  );
}

/** @param {string} severity */
function markOf(severity) {
  return { success: 'mark good', warning: 'mark note', error: 'mark bad' }[severity] ?? 'mark';
}

/** @param {*} of */
function nameOf(of) {
  return String(Object.values(of)[0]);
}

/** @param {*} of */
function titleOf(of) {
  if ('group' in of) return `Group ${of.group}`;
  return 'segment' in of ? `Segment ${of.segment}` : `To ${of.subject} alone`;
}
