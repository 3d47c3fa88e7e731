/* health.js: who serves the namespace, and how well. */

/** @typedef {import('./frame.js').Tools} Tools */

/** Colours and patterns of owners are by their place in the list, which is sorted by id. */
const MOST_COLOURS = 4;

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
          part(tools, data.partitions, (value) => partitions(value, data, tools)),
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
      part(tools, data.deadLetters, (value) => letters(value, tools)),
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
    ['Backlog', waiting.value ? count(waiting.value.waiting) : '–'],
    ['Dead letters', deadLetters.value ? count(deadLetters.value.count) : '–'],
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
    h,
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

/** @param {*} value @param {*} data @param {Tools} tools */
function partitions({ owners, takeovers }, data, { h }) {
  /** @type {Map<string, number[]>} */
  const owned = new Map();
  for (const [partition, owner] of owners.entries()) {
    if (owner !== null) owned.set(owner, [...(owned.get(owner) ?? []), partition]);
  }
  const ids = [...owned.keys()].sort();
  const free = owners.filter((/** @type {string | null} */ owner) => owner === null).length;
  const hasStreams = (data.instances.value ?? []).some(
    (/** @type {*} */ row) => row.transport === 'streams' || row.transport === 'both',
  );
  if (ids.length === 0 && takeovers.length === 0 && !hasStreams) {
    return h('p', { class: 'empty' }, 'No instance works off streams: requests go over channels.');
  }
  return [
    h(
      'div',
      {
        class: 'strip',
        role: 'img',
        'aria-label': `Owners of the ${owners.length} partitions; the table says the same`,
      },
      owners.map((/** @type {string | null} */ owner, /** @type {number} */ partition) =>
        h('span', {
          class: owner === null ? 'cell free' : `cell owner-${(ids.indexOf(owner) % MOST_COLOURS) + 1}`,
          title: `${partition}: ${owner ?? 'nobody'}`,
        }),
      ),
    ),
    table(
      h,
      'Owners now',
      [
        h('th', { scope: 'col' }, 'Owner'),
        h('th', { scope: 'col', class: 'number' }, 'How many'),
        h('th', { scope: 'col' }, 'Partitions'),
      ],
      [
        ...ids.map((id) => {
          const list = owned.get(id) ?? [];
          const swatch = h('span', {
            class: `swatch owner-${(ids.indexOf(id) % MOST_COLOURS) + 1}`,
            'aria-hidden': 'true',
          });
          return h(
            'tr',
            { key: id },
            h('th', { scope: 'row', class: 'id' }, swatch, id),
            h('td', { class: 'number' }, list.length),
            h('td', null, ranges(list)),
          );
        }),
        free === 0
          ? null
          : h(
              'tr',
              { key: 'free' },
              h('th', { scope: 'row' }, 'nobody'),
              h('td', { class: 'number' }, free),
              h('td', null, 'free: taken within a second while an instance runs'),
            ),
      ],
    ),
    h('h3', null, 'Who took over'),
    takeovers.length === 0
      ? h('p', { class: 'empty' }, 'Nobody, since this dashboard looks.')
      : h(
          'ul',
          { class: 'events', id: 'takeovers' },
          takeovers.map((/** @type {*} */ { at, from, to, partitions: list }) =>
            h(
              'li',
              { key: `${at} ${from} ${to}` },
              h('time', { datetime: new Date(at).toISOString() }, new Date(at).toLocaleTimeString()),
              ' ',
              h('span', { class: 'id' }, to),
              ` took over ${list.length === 1 ? 'partition' : `${list.length} partitions`} of `,
              h('span', { class: 'id' }, from),
              `: ${ranges(list)}`,
            ),
          ),
        ),
  ];
}

/** @param {*} value @param {Tools} tools */
function backlog({ waiting, partitions: fullest }, { h }) {
  if (waiting === 0) return h('p', { class: 'empty' }, 'No request waits in a stream.');
  return [
    h('p', null, `${count(waiting)} ${waiting === 1 ? 'request waits' : 'requests wait'} in streams.`),
    table(
      h,
      'The fullest streams',
      [h('th', { scope: 'col' }, 'Partition'), h('th', { scope: 'col', class: 'number' }, 'Requests')],
      fullest.map((/** @type {[number, number]} */ [partition, length]) =>
        h('tr', { key: partition }, h('th', { scope: 'row' }, partition), h('td', { class: 'number' }, count(length))),
      ),
    ),
  ];
}

/** @param {*} value @param {Tools} tools */
function memory(value, { h }) {
  if (value === null) return h('p', { class: 'empty' }, 'No subject was found.');
  const { sampled, meanBytes, medianBytes, largestBytes } = value;
  return table(
    h,
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

/** @param {*} value @param {Tools} tools */
function letters({ count: all, letters: rows }, tools) {
  const { h, may } = tools;
  if (all === 0) return h('p', { class: 'empty' }, 'There are no dead letters.');
  const canAct = may('operator');
  return [
    h(
      'p',
      { class: 'buttons' },
      `${count(all)} ${all === 1 ? 'request failed' : 'requests failed'} for good.`,
      canAct && h('button', { type: 'button', onclick: () => void retryAll(tools) }, 'Retry all'),
      canAct && h('button', { type: 'button', class: 'danger', onclick: () => void dropAll(all, tools) }, 'Drop all'),
    ),
    table(
      h,
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
  if (!(await confirm(`Forget all ${count(all)} dead letters? What they asked for is never done.`, 'Drop all'))) return;
  await act('drop', { all: true }).then(
    ({ dropped }) => announce(`Forgot ${dropped}.`),
    () => undefined,
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

/** A table that scrolls by itself where it is too wide; reached with the keyboard.
 *  @param {Tools['h']} h @param {string} caption @param {any[]} heads @param {any[]} rows */
function table(h, caption, heads, rows) {
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    h('table', null, h('caption', null, caption), h('thead', null, h('tr', null, heads)), h('tbody', null, rows)),
  );
}

/** `0–3, 7` @param {number[]} numbers */
function ranges(numbers) {
  /** @type {[number, number][]} */
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
}

/** @param {number} value */
function count(value) {
  return value.toLocaleString('en');
}

/** @param {number | null | undefined} value */
function decimal(value) {
  if (value === null || value === undefined) return '–';
  return value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 });
}

/** @param {number | null | undefined} value */
function milliseconds(value) {
  if (value === null || value === undefined) return '–';
  return `${value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : 0 })} ms`;
}

/** @param {number | null | undefined} value */
function percent(value) {
  if (value === null || value === undefined) return '–';
  return `${(100 * value).toLocaleString('en', { maximumFractionDigits: 2 })} %`;
}

/** @param {number | string | null | undefined} value */
function bytes(value) {
  return typeof value === 'number' ? `${value.toLocaleString('en')} B` : '–';
}

/** @param {number} seconds */
function duration(seconds) {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}
