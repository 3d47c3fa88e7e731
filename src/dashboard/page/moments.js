/* moments.js: times in the words of who looks on, in the zone of their browser. */

/** A time as a text, with the whole of it in `datetime`.
 *  @param {typeof import('./dom.js').h} h @param {number | null} at milliseconds of the epoch
 *  @returns {HTMLElement} */
export function moment(h, at) {
  if (at === null) return h('span', { class: 'quiet' }, 'never');
  const time = new Date(at);
  const isThisYear = time.getFullYear() === new Date().getFullYear();
  /** @type {Intl.DateTimeFormatOptions} */
  const format = { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' };
  const text = time.toLocaleString(undefined, isThisYear ? format : { ...format, year: 'numeric' });
  return h('time', { datetime: time.toISOString() }, text);
}

/** How long something takes, roughly.
 *  @param {number} seconds
 *  @returns {string} */
export function duration(seconds) {
  if (seconds >= 2 * 86_400) return `${Math.round(seconds / 86_400)} days`;
  if (seconds >= 2 * 3_600) return `${Math.round(seconds / 3_600)} hours`;
  return `${Math.max(1, Math.round(seconds / 60))} minutes`;
}

/** A time as an input of the type `datetime-local` has it.
 *  @param {number} at milliseconds of the epoch
 *  @returns {string} */
export function localInput(at) {
  const time = new Date(at);
  return new Date(at - 60_000 * time.getTimezoneOffset()).toISOString().slice(0, 16);
}

/** Reads an input of the type `datetime-local`; undefined where it is empty.
 *  @param {string} text
 *  @returns {number | undefined} */
export function readLocalInput(text) {
  return text === '' ? undefined : new Date(text).getTime();
}

/** A count for reading: 12,345.
 *  @param {number} count
 *  @returns {string} */
export function many(count) {
  return count.toLocaleString('en-US');
}
