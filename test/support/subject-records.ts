import { Keys, type RedisConnection, readSubjectHeader, type SubjectHeader } from '../../src/redis/index.ts';

/* subject-records.ts: looks into the records of subjects, and breaks them. Offsets: src/redis/subject-header.ts. */

const keys = new Keys('sw');
const ITEM_BYTES = 8;

/** Reads the head of a subject's record; undefined where there is none. */
export async function readHead(redis: RedisConnection, subject: string): Promise<SubjectHeader | undefined> {
  const record = await redis.commandForBuffers<Buffer | null>('GET', keys.subject(subject));
  return record === null ? undefined : readSubjectHeader(record);
}

/** Adds `by` to the views of a subject. */
export function addViews(redis: RedisConnection, subject: string, by: number): Promise<void> {
  return change(redis, subject, (record) => {
    record.writeUInt32BE(record.readUInt32BE(1) + by, 1);
    return record;
  });
}

/** Adds a minute to the active minutes of a subject. */
export function addActiveMinute(redis: RedisConnection, subject: string): Promise<void> {
  return change(redis, subject, (record) => {
    record.writeUIntBE(record.readUIntBE(18, 3) + 1, 18, 3);
    return record;
  });
}

/** Forgets the pages of a subject that it saw last. */
export function forgetPages(redis: RedisConnection, subject: string, count: number): Promise<void> {
  return change(redis, subject, (record) => record.subarray(0, record.length - ITEM_BYTES * count));
}

/** Declares that the pages of a subject stand in a seen filter, which is `filter`. */
export async function putPagesInFilter(redis: RedisConnection, subject: string, filter: Buffer): Promise<void> {
  await change(redis, subject, (record) => {
    record[0]! |= 2;
    return record;
  });
  await redis.command('SET', keys.seenFilter(subject, 'page'), filter);
}

async function change(redis: RedisConnection, subject: string, to: (record: Buffer) => Buffer): Promise<void> {
  const key = keys.subject(subject);
  const record = await redis.commandForBuffers<Buffer>('GET', key);
  await redis.command('SET', key, to(record), 'KEEPTTL');
}
