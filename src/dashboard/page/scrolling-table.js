import { h } from './dom.js';

/** A table that scrolls by itself where it is too wide; reached with the keyboard.
 *  @param {string} caption @param {import('./dom.js').Child} heads @param {import('./dom.js').Child} rows
 *  @param {string | null} [captionClass] */
export function table(caption, heads, rows, captionClass = null) {
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      null,
      h('caption', { class: captionClass }, caption),
      h('thead', null, h('tr', null, heads)),
      h('tbody', null, rows),
    ),
  );
}
