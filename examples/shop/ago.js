// @ts-check

const WORDS = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
/** @type {readonly (readonly [Intl.RelativeTimeFormatUnit, number])[]} */
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
const JUST_NOW_MS = 120_000;

/** How long ago something was, in words. Below two minutes "just now": nothing here is told more exactly than to the
 *  minute. @param {number} then in milliseconds of the epoch, as `now` @param {number} now */
export function ago(then, now) {
  const passedMs = now - then;
  if (passedMs < JUST_NOW_MS) return 'just now';
  const [unit, unitMs] = UNITS.find(([, ms]) => passedMs >= ms) ?? ['minute', 60_000];
  return WORDS.format(-Math.floor(passedMs / unitMs), unit);
}
