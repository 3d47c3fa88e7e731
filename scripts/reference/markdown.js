/* markdown.js: what all pages of the reference share. */

/** The line that says where a page comes from. */
export const GENERATED =
  '<!-- Written by `npm run reference` from the code; a test compares. Change the code, not this page. -->';

/** A text as one cell of a table, or as one line: what Markdown would take for HTML or for an edge is escaped outside of
 *  code. */
export function cell(text) {
  return text
    .split(/(`[^`]*`)/)
    .map((part, i) => (i % 2 === 1 ? part.replaceAll('|', '\\|') : part.replaceAll('|', '\\|').replaceAll('<', '&lt;')))
    .join('')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
}
