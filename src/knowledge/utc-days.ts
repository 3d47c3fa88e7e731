/* utc-days.ts: minutes and days of UTC. A minute is one of UTC, which every time zone in use today shares. */

export const MINUTE_MS = 60_000;
export const DAY_MS: number = 24 * 60 * MINUTE_MS;
export const MINUTES_PER_DAY = 1440;

/** The UTC day of a time, in days since the epoch. */
export function dayOf(at: number): number {
  return Math.floor(at / DAY_MS);
}
