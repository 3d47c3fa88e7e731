/* partition-owners.js: who owns the partitions of streams, and who took over from whom. */

import { table } from './scrolling-table.js';

/** @typedef {import('./frame.js').Tools} Tools */

/** Colours and patterns of owners are by their place in the list, which is sorted by id. */
const MOST_COLOURS = 4;

/** @param {*} value @param {*} data @param {Tools} tools */
export function partitionOwners({ owners, takeovers }, data, { h }) {
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
