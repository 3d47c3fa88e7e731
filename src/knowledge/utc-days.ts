/* utc-days.ts: minutes and days of UTC. A minute is one of UTC, which every time zone in use today shares. */

export const MINUTE_MS = 60_000;
export const MINUTES_PER_DAY = 1440;
