const DAY_MS = 86_400_000;

let lastDay = Number.NaN;
let lastDate = '';

/** Writes a time as `Date.toISOString` does, `2026-11-22T09:08:07.006Z`, in a tenth of the time: each read of a session
 *  writes the end of its cookie. `timeMs`: milliseconds of the epoch.
 *  @throws RangeError for what is no time. */
export function isoTime(timeMs: number): string {
  const ms = Math.trunc(timeMs);
  const day = Math.floor(ms / DAY_MS);
  if (day !== lastDay) {
    lastDate = new Date(ms).toISOString().slice(0, -'00:00:00.000Z'.length);
    lastDay = day;
  }
  const ofDay = ms - day * DAY_MS;
  const seconds = Math.floor(ofDay / 1_000);
  const minutes = Math.floor(seconds / 60);
  return `${lastDate}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}.${three(ofDay % 1_000)}Z`;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : `${number}`;
}

function three(number: number): string {
  return number < 10 ? `00${number}` : number < 100 ? `0${number}` : `${number}`;
}
