import { MINUTE_MS, type SubjectReading } from '../../knowledge/index.ts';
import type { ActiveDay } from './subject-data.ts';

const DAY_MS = 1440 * MINUTE_MS;
/** So many days of UTC, today included. */
const DAYS = 35;

/** Reads in which minutes of the last 35 days (UTC) a subject was active: the days with activity, today first. */
export async function readActivity(subject: SubjectReading, now: number): Promise<ActiveDay[]> {
  const today = Math.floor(now / DAY_MS);
  const from = (today - DAYS + 1) * DAY_MS;
  const active = await subject.minutes(from, (today + 1) * DAY_MS - MINUTE_MS);
  const days: ActiveDay[] = [];
  for (let back = 0; back < DAYS; back += 1) {
    const first = (DAYS - 1 - back) * 1440;
    const hours = Array.from({ length: 24 }, (_, hour) => {
      const begin = first + 60 * hour;
      return active.slice(begin, begin + 60).filter(Boolean).length;
    });
    const minutes = hours.reduce((sum, count) => sum + count, 0);
    if (minutes > 0) days.push({ day: new Date((today - back) * DAY_MS).toISOString().slice(0, 10), minutes, hours });
  }
  return days;
}
