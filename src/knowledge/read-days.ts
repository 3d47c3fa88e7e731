import type { ReadingContext } from './subject-reading.ts';
import { MINUTES_PER_DAY } from './utc-days.ts';

/** Reads the active minutes of a subject that have outgrown its record: numbers of the epoch, ascending within a day. */
export async function readDays({ redis, keys }: ReadingContext, subject: string): Promise<number[]> {
  const found = await redis.commandForBuffers<Record<string, Buffer> | Map<Buffer, Buffer>>(
    'HGETALL',
    keys.days(subject),
  );
  const entries = found instanceof Map ? [...found] : Object.entries(found);
  return entries.flatMap(([day, bitmap]) => minutesOf(Number(String(day)), bitmap));
}

function minutesOf(day: number, bitmap: Buffer): number[] {
  const minutes: number[] = [];
  for (let at = 0; at < 8 * bitmap.length; at += 1) {
    if ((bitmap[at >> 3]! & (128 >> (at & 7))) !== 0) minutes.push(day * MINUTES_PER_DAY + at);
  }
  return minutes;
}
