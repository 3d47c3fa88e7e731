// @ts-check
/* html.js: a template tag that escapes. Whatever is put into html`...` is escaped, unless it was made by html`...`
 * itself: so markup cannot come from a visitor, only from this folder. Attribute values must stand in quotes. */

/** Markup that is safe to send. */
export class Html {
  /** @param {string} markup */
  constructor(markup) {
    this.markup = markup;
  }

  toString() {
    return this.markup;
  }
}

/** @type {Record<string, string>} */
const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/**
 * @param {TemplateStringsArray} strings
 * @param {...unknown} values Arrays are joined; false, null and undefined show nothing.
 */
export function html(strings, ...values) {
  return new Html(String.raw({ raw: strings }, ...values.map(render)));
}

/** @param {unknown} value @returns {string} */
function render(value) {
  if (value instanceof Html) return value.markup;
  if (Array.isArray(value)) return value.map(render).join('');
  if (value === undefined || value === null || value === false) return '';
  return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
