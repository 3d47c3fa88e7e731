import {
  Keys,
  PARTITIONS,
  partitionOf,
  type RedisConnection,
  readSubjectHeader,
  SUBJECT_FLAGS,
  type SubjectHeader,
} from '../../redis/index.ts';
import type { ArchivedActivity, ArchivedSession } from '../archived-session.ts';
import { type DeferredIndexWrites, deferredIndexWritesOf, eventKeys } from '../cluster/deferred-index-writes.ts';
import { readBody } from '../record/record-body.ts';
import type { RecordEncryption } from '../record/record-encryption.ts';
import { readHeader } from '../record/record-header.ts';
import { DEVICE_FIELD, readFields, type SessionFields, USER_FIELD } from '../record/session-fields.ts';
import { archiveDone } from './scripts/archive-done.ts';
import { archiveLater } from './scripts/archive-later.ts';
import { archiveRead } from './scripts/archive-read.ts';
import { archiveWaiting } from './scripts/archive-waiting.ts';
import { extendWaiting } from './scripts/extend-waiting.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const EXTEND_AT_ONCE = 200;
const NOT_ARCHIVED: ReadonlySet<string> = new Set(['cookie']);
/** How long ended sessions wait for an archive that no process runs any more. */
const ARCHIVING_MS: number = 7 * DAY_MS;

/** An ended session that waits for the archive. */
export interface WaitingSession {
  readonly session: string;
  /** Milliseconds of the epoch. */
  readonly endedAt: number;
  /** How often it failed. */
  readonly attempts: number;
}

/** The queue of ended sessions in Redis that wait for the archive. Every method may throw an error of Redis or of the
 *  connection. */
export class ArchiveQueue {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #lifecycleLength: number;
  readonly #encryption: RecordEncryption | undefined;
  readonly #deferredWrites: DeferredIndexWrites | undefined;

  constructor(
    redis: RedisConnection,
    namespace: string,
    lifecycleLength: number,
    encryption: RecordEncryption | undefined,
  ) {
    this.#redis = redis;
    this.#keys = new Keys(namespace);
    this.#lifecycleLength = lifecycleLength;
    this.#encryption = encryption;
    this.#deferredWrites = deferredIndexWritesOf(redis, this.#keys, lifecycleLength);
  }

  /** Announces an archive to all partitions: ended sessions wait for it from now on, for seven days after the last
   *  call.
   *  @throws where some partitions could not be reached; the others know it. */
  async arm(): Promise<void> {
    await allOf(
      partitions().map((partition) =>
        this.#redis.command('SET', this.#keys.archiving(partition), '1', 'PX', String(ARCHIVING_MS)),
      ),
    );
  }

  /** Lists sessions to try now, the oldest first: of each partition at most `limit` new ones and `limit` failed
   *  ones; and counts all that wait. In a Cluster: of the masters that answer. */
  async list(limit: number): Promise<{ waiting: number; due: WaitingSession[] }> {
    const questions = partitions()
      .map((partition) => this.#keys.ended(partition))
      .map((ended) => archiveWaiting.run(this.#redis, { ended }, { namespace: this.#keys.namespace, limit }));
    const replies = await (this.#redis.failsInParts ? answersOf(questions) : Promise.all(questions));
    let waiting = 0;
    const due: WaitingSession[] = [];
    for (const [count, ...flat] of replies) {
      waiting += count;
      for (let i = 0; i + 2 < flat.length; i += 3) {
        due.push({ session: flat[i]!, endedAt: Number(flat[i + 1]), attempts: Number(flat[i + 2]) });
      }
    }
    return { waiting, due: due.sort((one, other) => one.endedAt - other.endedAt) };
  }

  /** Reads all that is stored of a session; undefined where nothing is left of it.
   *  @throws SessionDataError where it is encrypted and the key is missing. */
  async read({ session, endedAt }: WaitingSession): Promise<ArchivedSession | undefined> {
    const keys = this.#keys;
    const read = {
      record: keys.record(session),
      subject: keys.subject(session),
      uniquePages: keys.uniqueCount(session, 'page'),
    };
    const { values } = await archiveRead.run(this.#redis, read, {});
    const [record, subject, uniquePages] = values;
    if (!record) return undefined;
    const header = readHeader(record);
    const fields = readBody(this.#encryption, session, record, header);
    const userId = ownText(fields, USER_FIELD);
    const device = ownText(fields, DEVICE_FIELD);
    return {
      namespace: keys.namespace,
      session,
      ...(userId !== undefined && { userId }),
      ...(device !== undefined && { device }),
      // A session whose time is over cannot be ended by an operation.
      reason: endedAt < header.expiresAt ? 'ended' : 'expired',
      createdAt: header.createdAt,
      lastSeenAt: header.lastSeenAt,
      endedAt,
      data: readFields(fields, NOT_ARCHIVED, 0),
      activity: subject === undefined ? null : activityOf(subject, uniquePages),
    };
  }

  /** Deletes an archived session and appends its event. False where another archiver has done so, or nothing was
   *  left. */
  async done({ session, endedAt, attempts }: WaitingSession): Promise<boolean> {
    const keys = this.#keys;
    const partition = partitionOf(session);
    const events = eventKeys(this.#redis, keys, partition);
    const { status } = await archiveDone.run(
      this.#redis,
      { record: keys.record(session), ended: keys.ended(partition), ...events },
      {
        session,
        endedAt: String(endedAt),
        attempts: String(attempts),
        namespace: keys.namespace,
        lifecycleLength: this.#lifecycleLength,
      },
    );
    this.#deferredWrites?.moveEventsSoon(session);
    return status === 'done';
  }

  /** Delays a session by `pauseMs`. */
  async later({ session, endedAt, attempts }: WaitingSession, pauseMs: number): Promise<void> {
    const keys = this.#keys;
    await archiveLater.run(
      this.#redis,
      { ended: keys.ended(partitionOf(session)), record: keys.record(session) },
      { session, endedAt: String(endedAt), attempts, pauseMs, namespace: keys.namespace },
      { keys: keys.all(session) },
    );
  }

  /** Extends the time to live of sessions that have waited for long, so that they do not expire.
   *  @throws where it could not be done for all. */
  async extend(): Promise<void> {
    await allOf(partitions().map((partition) => this.#extendPartition(partition)));
  }

  async #extendPartition(partition: number): Promise<void> {
    for (let first = 0, count = EXTEND_AT_ONCE; count === EXTEND_AT_ONCE; first += count) {
      const args = { namespace: this.#keys.namespace, offset: first, limit: EXTEND_AT_ONCE };
      count = await extendWaiting.run(this.#redis, { ended: this.#keys.ended(partition) }, args);
    }
  }
}

// Null where the record cannot be read: the session's own data are worth archiving without it.
function activityOf(subject: Buffer, estimatedPages: number | undefined): ArchivedActivity | null {
  let header: SubjectHeader;
  try {
    header = readSubjectHeader(subject);
  } catch {
    return null;
  }
  const { flags, views, pages, activeMinutes, firstView } = header;
  const uniquePagesExact = (flags & SUBJECT_FLAGS.largePages) === 0;
  return {
    totalPages: views,
    uniquePages: uniquePagesExact ? pages : (estimatedPages ?? 0),
    uniquePagesExact,
    activeMinutes,
    firstActiveMinute: views === 0 ? null : Math.floor(firstView / 60) * MINUTE_MS,
  };
}

function ownText(fields: SessionFields, name: string): string | undefined {
  const json = fields.get(name);
  return json === undefined ? undefined : (JSON.parse(json) as string);
}

/** Waits until all have settled.
 *  @throws the first error. */
async function allOf(works: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(works)) if (result.status === 'rejected') throw result.reason;
}

async function answersOf<Answer>(questions: readonly Promise<Answer>[]): Promise<Answer[]> {
  const results = await Promise.allSettled(questions);
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

function partitions(): number[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => partition);
}
