/* health.js: who serves the namespace, and how well. */

import { deadLetters } from './dead-letters.js';
import { bytes, decimal, milliseconds, percent } from './figures.js';
import { many } from './moments.js';
import { partitionOwners } from './partition-owners.js';
import { table } from './scrolling-table.js';

/** @typedef {import('./frame.js').Tools} Tools */

/** @param {HTMLElement} root @param {*} data @param {Tools} tools */
export function render(root, data, tools) {
  const { h, show } = tools;
  show(
    root,
    tiles(data, tools),
    data.overlaps.length === 0
      ? null
      : h(
          'p',
          { class: 'trouble wide', key: 'overlap' },
          `Instances serve the same sessions, so views count twice: ${data.overlaps
            .map((/** @type {string[]} */ globs) => globs.join(' and '))
            .join('; ')}. Give them disjoint --sessionglob.`,
        ),
    card(
      tools,
      'Instances',
      'instances wide',
      part(tools, data.instances, (rows) => instances(rows, tools)),
    ),
    h(
      'div',
      { class: 'columns wide', key: 'columns' },
      card(tools, 'Answers', 'answers', answers(data.lines, tools)),
      h(
        'div',
        { class: 'stack' },
        card(
          tools,
          'Partitions of streams',
          'partitions',
          part(tools, data.partitions, (value) => partitionOwners(value, data, tools)),
        ),
        card(
          tools,
          'Backlog',
          'backlog',
          part(tools, data.backlog, (value) => backlog(value, tools)),
        ),
        card(
          tools,
          'Memory of subjects',
          'memory',
          part(tools, data.subjects, (value) => memory(value, tools)),
        ),
      ),
    ),
    card(
      tools,
      'Dead letters',
      'letters wide',
      part(tools, data.deadLetters, (value) => deadLetters(value, tools)),
    ),
    card(
      tools,
      'What sessionwise doctor says',
      'doctor wide',
      part(tools, data.findings, (value) => findings(value, tools)),
    ),
  );
}

/** @param {Tools} tools @param {string} title @param {string} name @param {...*} children */
function card({ h }, title, name, ...children) {
  const [key] = name.split(' ');
  return h(
    'section',
    { class: `card ${name}`, key, 'aria-labelledby': `title-${key}` },
    h('h2', { id: `title-${key}` }, title),
    children,
  );
}

/** A part of the data, or why there is none.
 *  @param {Tools} tools @param {*} given @param {(value: any) => *} draw */
function part({ h }, given, draw) {
  if (given === null) return h('p', { class: 'empty' }, 'Looking.');
  if ('trouble' in given) return h('p', { class: 'trouble' }, given.trouble);
  return draw(given.value);
}

/** @param {*} data @param {Tools} tools */
function tiles({ instances: heard, traffic, backlog: waiting, deadLetters, subjects }, { h }) {
  const there = heard.value?.filter((/** @type {*} */ { state }) => state === 'there').length;
  /** @type {[string, string, (string | undefined)?][]} */
  const all = [
    ['Instances', there === undefined ? '–' : String(there)],
    ['Requests a second', decimal(traffic.perSecond)],
    [
      'Answered within',
      milliseconds(traffic.p50Ms),
      `95 %: ${milliseconds(traffic.p95Ms)}, 99 %: ${milliseconds(traffic.p99Ms)}`,
    ],
    ['Degraded', percent(traffic.degraded), 'failed, too late or above 100 ms'],
    ['Refused input', `${decimal(traffic.refusedPerMinute)}`, 'a minute'],
    ['Backlog', waiting.value ? many(waiting.value.waiting) : '–'],
    ['Dead letters', deadLetters.value ? many(deadLetters.value.count) : '–'],
    [
      'A subject takes',
      bytes(subjects?.value?.medianBytes),
      subjects?.value ? `median of ${subjects.value.sampled}` : undefined,
    ],
  ];
  return h(
    'dl',
    { class: 'tiles eight wide', key: 'tiles' },
    all.map(([name, value, sub]) =>
      h(
        'div',
        { class: 'tile', key: name },
        h('dt', null, name),
        h('dd', null, value, sub && h('div', { class: 'sub' }, sub)),
      ),
    ),
  );
}

/** @param {any[]} rows @param {Tools} tools */
function instances(rows, { h }) {
  if (rows.length === 0) {
    return h(
      'p',
      { class: 'empty' },
      'No instance serves this namespace: pages degrade. Start one with ',
      h('code', null, 'sessionwise serve'),
      '.',
    );
  }
  const heads = [
    'Instance',
    'State',
    'Version',
    'Transport',
    'Sessions',
    'Running for',
    'Requests a second',
    'Half within',
    '99 % within',
    'Degraded',
  ];
  return table(
    'Instances of the last ten minutes; figures are of the last minute',
    heads.map((text, i) => h('th', { scope: 'col', class: i >= 5 ? 'number' : null }, text)),
    rows.map((row) =>
      h(
        'tr',
        { key: row.id },
        h('th', { scope: 'row', class: 'id' }, row.id),
        h('td', null, state(row, h)),
        h('td', null, row.version ?? '–'),
        h('td', null, row.transport),
        h('td', { class: 'id' }, row.glob ?? 'of its application'),
        h('td', { class: 'number' }, row.uptimeS === null || row.state !== 'there' ? '–' : duration(row.uptimeS)),
        h('td', { class: 'number' }, row.state === 'there' ? decimal(row.perSecond) : '–'),
        h('td', { class: 'number' }, milliseconds(row.p50Ms)),
        h('td', { class: 'number' }, milliseconds(row.p99Ms)),
        h('td', { class: 'number' }, percent(row.degraded)),
      ),
    ),
  );
}

/** @param {*} row @param {Tools['h']} h */
function state({ state: is, silentS }, h) {
  if (is === 'there') return h('span', { class: 'mark good' }, 'there');
  if (is === 'left') return h('span', { class: 'mark' }, `stopped ${duration(silentS)} ago`);
  return h('span', { class: 'mark bad' }, `silent for ${duration(silentS)}`);
}

/** @param {*} lines @param {Tools} tools */
function answers({ times, p50Ms, p99Ms, perSecond }, { h, chart }) {
  if (times.length < 2) return h('p', { class: 'empty' }, 'Lines begin in a few seconds.');
  return [
    chart({
      key: 'latency',
      title: 'Time to an answer, in milliseconds',
      times,
      series: [
        { label: 'half within', values: p50Ms, format: milliseconds },
        { label: '99 % within', values: p99Ms, format: milliseconds },
      ],
    }),
    chart({
      key: 'rate',
      title: 'Requests a second',
      times,
      series: [{ label: 'requests', values: perSecond, format: decimal }],
    }),
  ];
}

/** @param {*} value @param {Tools} tools */
function backlog({ waiting, partitions: fullest }, { h }) {
  if (waiting === 0) return h('p', { class: 'empty' }, 'No request waits in a stream.');
  return [
    h('p', null, `${many(waiting)} ${waiting === 1 ? 'request waits' : 'requests wait'} in streams.`),
    table(
      'The fullest streams',
      [h('th', { scope: 'col' }, 'Partition'), h('th', { scope: 'col', class: 'number' }, 'Requests')],
      fullest.map((/** @type {[number, number]} */ [partition, length]) =>
        h('tr', { key: partition }, h('th', { scope: 'row' }, partition), h('td', { class: 'number' }, many(length))),
      ),
    ),
  ];
}

/** @param {*} value @param {Tools} tools */
function memory(value, { h }) {
  if (value === null) return h('p', { class: 'empty' }, 'No subject was found.');
  const { sampled, meanBytes, medianBytes, largestBytes } = value;
  return table(
    `Of ${sampled} ${sampled === 1 ? 'subject' : 'subjects'}, measured each half minute`,
    [h('th', { scope: 'col' }, 'Bytes in Redis'), h('th', { scope: 'col', class: 'number' }, 'A subject')],
    [
      ['median', medianBytes],
      ['mean', meanBytes],
      ['largest', largestBytes],
    ].map(([name, size]) =>
      h('tr', { key: name }, h('th', { scope: 'row' }, name), h('td', { class: 'number' }, bytes(size))),
    ),
  );
}

/** @param {any[]} all @param {Tools} tools */
function findings(all, { h }) {
  const marks = { good: 'ok', note: 'note', problem: 'problem' };
  return h(
    'dl',
    { class: 'findings' },
    all.map(({ level, about, text }, i) =>
      h(
        'div',
        { key: `${about} ${i}` },
        h(
          'dt',
          null,
          h('span', { class: `mark ${level}` }, marks[/** @type {keyof typeof marks} */ (level)]),
          ` ${about}`,
        ),
        h('dd', null, text),
      ),
    ),
  );
}

/** @param {number} seconds */
function duration(seconds) {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}
