/* subject.js: all that is known of one session or person. A user id is only ever in a form and in the body of a request. */

import { dataTable } from './data-table.js';
import { explained } from './explanation.js';
import { formField, problemAt, valuesOf } from './form-field.js';
import { heatStrip } from './heat-strip.js';
import { duration, many, moment } from './moments.js';

/** What is wrong with fields, by their names. @type {Record<string, string>} */
let problems = {};
/** What the last look for an item answered. */
let probed = { subject: '', text: '' };
/** @type {() => void} */
let redraw = () => undefined;

/** @param {HTMLElement} root @param {*} data @param {import('./frame.js').Tools} tools */
export function render(root, data, tools) {
  const { h, show } = tools;
  redraw = () => render(root, data, tools);
  const { found, subject } = data;
  show(
    root,
    findCard(tools),
    !found && h('p', { class: 'empty wide', key: 'nobody' }, 'Look for a session or a person to see what is known.'),
    found && head(subject, found, tools),
    found && figures(found, tools),
    found &&
      h(
        'div',
        { class: 'flow wide', key: 'parts' },
        activity(found, tools),
        counters(found, tools),
        suggestions(found, tools),
        segments(found, tools),
        notices(subject, found, tools),
        devices(subject, found, tools),
        tools.may('operator') && probe(subject, tools),
      ),
  );
}

/** @param {string} title @param {string} key @param {typeof import('./dom.js').h} h @param {...import('./dom.js').Child} children */
function card(title, key, h, ...children) {
  return h(
    'section',
    { class: 'card spaced', key, 'aria-labelledby': `${key}-title` },
    h('h2', { id: `${key}-title` }, title),
    ...children,
  );
}

/** @param {import('./frame.js').Tools} tools */
function findCard({ h, act, follow }) {
  const find = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const values = valuesOf(event);
    try {
      const { subject } = await act('find', values);
      problems = {};
      form.reset();
      follow({ id: subject });
    } catch (error) {
      problems = problemAt(/** @type {Error} */ (error).message, [], Object.keys(values)[0] ?? 'id');
    }
    redraw();
  };
  const form = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ hint) =>
    h(
      'form',
      { key: `find-${name}`, onsubmit: find },
      formField({
        label,
        hint,
        problem: problems[name],
        props: { id: name, name, required: true, autocomplete: 'off', spellcheck: 'false', maxlength: 1024 },
      }),
      h('button', { type: 'submit' }, 'Show'),
    );
  return h(
    'section',
    { class: 'card wide', key: 'find', 'aria-labelledby': 'find-title' },
    h('h2', { id: 'find-title' }, 'Look for'),
    h(
      'div',
      { class: 'columns' },
      form('id', 'Id of a session or a person', 'The public id, never a token.'),
      form('user', 'User id', 'As the site gives it to identify(). It is kept out of addresses and logs.'),
    ),
  );
}

/** @param {string} subject @param {*} found @param {import('./frame.js').Tools} tools */
function head(subject, { kind, isKnown, sessionState, expiresInSeconds }, { h }) {
  return h(
    'section',
    { class: 'wide', key: 'head', 'aria-labelledby': 'head-title' },
    h('h2', { id: 'head-title' }, kind === 'person' ? 'Person ' : 'Session ', h('span', { class: 'id' }, subject)),
    h(
      'p',
      null,
      h('span', { class: isKnown ? 'mark good' : 'mark note' }, isKnown ? 'known' : 'nothing is known'),
      sessionState === 'living' && h('span', { class: 'mark good' }, 'has session data'),
      sessionState === 'ended' && h('span', { class: 'mark note' }, 'has ended'),
      expiresInSeconds !== null &&
        h('span', { class: 'quiet' }, ` Expires in ${duration(expiresInSeconds)} unless it comes back.`),
    ),
  );
}

/** @param {*} found @param {import('./frame.js').Tools} tools */
function figures({ views, uniquePages, uniquePagesExact, items, activeMinutes, firstView, lastView }, { h }) {
  const tile = (/** @type {string} */ name, /** @type {import('./dom.js').Child} */ value, small = false) =>
    h('div', { class: 'tile' }, h('dt', null, name), h('dd', { class: small ? 'time' : null }, value));
  return h(
    'dl',
    { class: 'tiles wide', key: 'figures' },
    tile('Views', many(views)),
    tile('Different pages', `${uniquePagesExact ? '' : 'about '}${many(uniquePages)}`),
    tile('Marked items', many(items)),
    tile('Active minutes', many(activeMinutes)),
    tile('First view', moment(h, firstView), true),
    tile('Last activity', moment(h, lastView), true),
  );
}

/** @param {*} found @param {import('./frame.js').Tools} tools */
function activity({ days }, { h }) {
  return card(
    'Activity',
    'activity',
    h,
    h('p', { class: 'quiet' }, 'Active minutes of each hour (UTC), of the last 35 days.'),
    dataTable({
      caption: 'Active minutes by day',
      columns: [{ title: 'Day' }, { title: 'Minutes', isNumber: true }, { title: 'Hours 0 to 24' }],
      rows: days.map((/** @type {*} */ { day, minutes, hours }) => ({
        key: day,
        cells: [h('time', { datetime: day }, day), String(minutes), heatStrip(hours)],
      })),
      empty: 'No activity in the last 35 days.',
    }),
  );
}

/** @param {*} found @param {import('./frame.js').Tools} tools */
function counters({ counters: list }, { h }) {
  return card(
    'Counters',
    'counters',
    h,
    dataTable({
      caption: 'Events, clusters of pages and suggestions',
      columns: [{ title: 'What' }, { title: 'Times', isNumber: true }, { title: 'First' }, { title: 'Last' }],
      rows: list.map((/** @type {*} */ { kind, name, count, first, last }, /** @type {number} */ i) => ({
        key: name === null ? `unnamed-${i}` : `${kind}-${name}`,
        cells: [
          name === null
            ? h('span', { class: 'quiet' }, 'not named in the rules')
            : [h('span', { class: 'quiet' }, `${kind} `), h('span', { class: 'id' }, name)],
          many(count),
          moment(h, first),
          moment(h, last),
        ],
      })),
      empty: 'No event was tracked, and no page of a cluster viewed.',
    }),
  );
}

/** @param {*} found @param {import('./frame.js').Tools} tools */
function suggestions({ suggestions: list, rulesProblem, groups }, { h, follow, query }) {
  const setGroups = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const next = query();
    next.delete('group');
    for (const group of (valuesOf(event).groups ?? '').split(/[\s,]+/)) if (group !== '') next.append('group', group);
    follow(next.toString());
  };
  return card(
    'Suggestions, and why',
    'suggestions',
    h,
    rulesProblem !== null && h('p', { class: 'problem', key: 'problem' }, rulesProblem),
    list?.length === 0 && h('p', { class: 'empty', key: 'none' }, 'There are no suggestions in the rules.'),
    (list ?? []).map((/** @type {*} */ { rule, suggest, reason, suggested, outcome, explanation }) =>
      explained(
        { key: `rule-${rule}`, title: rule, holds: suggested, outcome, explanation },
        h('p', null, 'Suggests ', h('span', { class: 'id' }, suggest), reason !== '' && `: ${reason}`),
      ),
    ),
    h(
      'form',
      { key: 'groups', onsubmit: setGroups },
      formField({
        label: 'Groups of this visitor',
        hint: 'Only the site knows them. With them rules and notices of groups are told too.',
        props: { id: 'groups', name: 'groups', value: groups.join(', '), autocomplete: 'off' },
      }),
      h('button', { type: 'submit' }, 'Use these groups'),
    ),
  );
}

/** @param {*} found @param {import('./frame.js').Tools} tools */
function segments({ segments: list }, { h }) {
  if (list === null) return false;
  return card(
    'Segments',
    'segments',
    h,
    list.length === 0 && h('p', { class: 'empty' }, 'There are no segments in the rules.'),
    list.map((/** @type {*} */ { segment, explanation }) =>
      explained({
        key: `segment-${segment}`,
        title: segment,
        holds: explanation.holds,
        outcome: explanation.holds ? 'holds' : 'does not hold',
        explanation,
      }),
    ),
  );
}

/** @param {string} subject @param {*} found @param {import('./frame.js').Tools} tools */
function notices(subject, { notices: list, mutedLists }, { h }) {
  return card(
    'Notices',
    'notices',
    h,
    mutedLists.length > 0 && h('p', null, `Muted: ${mutedLists.join(', ')}.`),
    dataTable({
      caption: 'Notices of this subject',
      columns: [{ title: 'Notice' }, { title: 'From' }, { title: 'Shown from' }, { title: 'State' }],
      rows: list.map((/** @type {*} */ { id, title, text, from, at, state, hidden }) => ({
        key: `${from}-${id}`,
        cells: [
          [title !== null && h('strong', null, title, ': '), h('span', { class: 'text' }, text)],
          from,
          moment(h, at),
          [
            h('span', { class: state === 'read' ? 'mark good' : 'mark' }, state),
            hidden !== null && h('span', { class: 'quiet' }, ` not shown: ${hidden}`),
          ],
        ],
      })),
      empty: 'None of its own, and none of the segments and groups that are known here.',
    }),
    h('p', null, h('a', { href: `notices?subject=${encodeURIComponent(subject)}` }, 'Notices to this subject alone')),
  );
}

/** @param {string} subject @param {*} found @param {import('./frame.js').Tools} tools */
function devices(subject, { devices: { list, problem }, kind, sessionState }, tools) {
  const { h } = tools;
  const isAlone = kind === 'session' && sessionState === 'living' && list.length === 0;
  return card(
    'Devices',
    'devices',
    h,
    problem !== null && h('p', { class: 'empty', key: 'problem' }, problem),
    list.length > 0 &&
      dataTable({
        caption: 'Sessions of this user',
        columns: [{ title: 'Device' }, { title: 'First seen' }, { title: 'Last seen' }, { title: 'Session' }],
        rows: list.map((/** @type {*} */ { session, label, firstSeenAt, lastSeenAt, isThis }) => ({
          key: session,
          cells: [
            [
              h(
                'span',
                { class: 'text' },
                label ?? 'Unnamed device',
                isThis && h('span', { class: 'mark' }, 'this session'),
              ),
              h('a', { class: 'id', href: `subject?id=${encodeURIComponent(session)}` }, session),
              tools.may('operator') &&
                h('p', { class: 'buttons' }, endButton(subject, session, label ?? 'Unnamed device', tools)),
            ],
            moment(h, firstSeenAt),
            moment(h, lastSeenAt),
          ],
        })),
        empty: '',
      }),
    isAlone && tools.may('operator') && endButton(subject, subject, 'This session', tools),
  );
}

/** @param {string} subject @param {string} session @param {string} label @param {import('./frame.js').Tools} tools */
function endButton(subject, session, label, { h, act, announce, confirm }) {
  const end = async () => {
    if (!(await confirm(`End the session of ${label}? Its next page is logged out.`, 'End this session'))) return;
    const { ended } = await act('end-session', { subject, session });
    announce(ended ? 'The session has ended.' : 'The session had ended before.');
  };
  return h(
    'button',
    {
      type: 'button',
      class: 'danger one-line',
      key: `end-${session}`,
      onclick: () => void end().catch(() => undefined),
    },
    'End this session',
    h('span', { class: 'hidden' }, `: ${label}`),
  );
}

/** @param {string} subject @param {import('./frame.js').Tools} tools */
function probe(subject, { h, act }) {
  const look = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const { item = '' } = valuesOf(event);
    try {
      const { viewed, marked } = await act('probe', { subject, item });
      const how = [viewed && 'viewed as a page', marked && 'marked as an item'].filter(Boolean).join(' and ');
      probed = { subject, text: how === '' ? `Not seen: ${item}` : `Seen, ${how}: ${item}` };
      problems = {};
    } catch (error) {
      problems = { item: /** @type {Error} */ (error).message };
    }
    redraw();
  };
  return card(
    'Has this subject seen …?',
    'probe',
    h,
    h(
      'p',
      { class: 'quiet' },
      'What was seen stands encrypted in the store, and is asked for item by item. Each look is logged, with your name.',
    ),
    h(
      'form',
      { key: 'probe-form', onsubmit: look },
      formField({
        label: 'Page or item',
        hint: 'A path such as /products/tv, or the name of an item.',
        problem: problems.item,
        props: { id: 'item', name: 'item', required: true, autocomplete: 'off', maxlength: 2048 },
      }),
      h('button', { type: 'submit' }, 'Look'),
    ),
    h('p', { class: 'text', role: 'status' }, probed.subject === subject ? probed.text : ''),
  );
}
