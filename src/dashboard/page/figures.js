/* figures.js: numbers as they stand on the page; a dash where there is none. */

/** @param {number | null | undefined} value */
export function decimal(value) {
  if (value === null || value === undefined) return '–';
  return value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 });
}

/** @param {number | null | undefined} value */
export function milliseconds(value) {
  if (value === null || value === undefined) return '–';
  return `${value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : 0 })} ms`;
}

/** @param {number | null | undefined} value */
export function percent(value) {
  if (value === null || value === undefined) return '–';
  return `${(100 * value).toLocaleString('en', { maximumFractionDigits: 2 })} %`;
}

/** @param {number | string | null | undefined} value */
export function bytes(value) {
  return typeof value === 'number' ? `${value.toLocaleString('en')} B` : '–';
}
