/* data-table.js: tables with a caption and headings, which scroll by themselves where they are too wide. */

import { h } from './dom.js';
import { table } from './scrolling-table.js';

/** @typedef {{ title: string, isNumber?: boolean }} Column */
/** @typedef {{ key: string, cells: readonly import('./dom.js').Child[] }} Row the first cell names the row */

/** Makes a table; in its place a sentence where there are no rows.
 *  @param {{ caption: string, columns: readonly Column[], rows: readonly Row[], empty: string }} table
 *  @returns {HTMLElement} */
export function dataTable({ caption, columns, rows, empty }) {
  if (rows.length === 0) return h('p', { class: 'empty' }, empty);
  const classOf = (/** @type {number} */ i) => (columns[i]?.isNumber ? 'number' : undefined);
  return table(
    caption,
    columns.map(({ title }, i) => h('th', { scope: 'col', class: classOf(i) }, title)),
    rows.map(({ key, cells }) =>
      h(
        'tr',
        { key },
        cells.map((cell, i) =>
          i === 0 ? h('th', { scope: 'row', class: 'row-name' }, cell) : h('td', { class: classOf(i) }, cell),
        ),
      ),
    ),
    'hidden',
  );
}
