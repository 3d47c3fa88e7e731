import { Keys, PARTITIONS, partitionOf, type RedisConnection } from '../../redis/index.ts';
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
/** How long ended sessions are still kept for an archive that nobody runs any more. */
const ARCHIVING_MS: number = 7 * DAY_MS;

/** An ended session that waits. */
export interface WaitingSession {
  readonly session: string;
  /** Milliseconds of the epoch. */
  readonly endedAt: number;
  /** How often it failed. */
  readonly attempts: number;
}

/** The ended sessions of a namespace that wait for the archive, as they lie in Redis. Every method may throw what Redis
 *  or the connection does. */
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

  /** Says that there is an archive: from now on, sessions that end are kept for it. Holds for seven days.
   *  @throws where it could not be said to all; those that were reached know it. */
  async arm(): Promise<void> {
    await allOf(
      partitions().map((partition) =>
        this.#redis.command('SET', this.#keys.archiving(partition), '1', 'PX', String(ARCHIVING_MS)),
      ),
    );
  }

  /** Sessions that may be tried now, at most `limit` new ones and as many that failed of each partition, the oldest
   *  first; and how many wait in all. In a Cluster: of the masters that answer. */
  async list(limit: number): Promise<{ waiting: number; due: WaitingSession[] }> {
    const questions = partitions()
      .map((partition) => this.#keys.ended(partition))
      .map((ended) => archiveWaiting.run(this.#redis, { ended }, { namespace: this.#keys.namespace, limit }));
    const replies = await (this.#redis.isCluster ? answersOf(questions) : Promise.all(questions));
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

  /** All that is known of a session; undefined where nothing is left of it.
   *  @throws SessionDataError where it is sealed and the key is not here. */
  async read({ session, endedAt }: WaitingSession): Promise<ArchivedSession | undefined> {
    const keys = this.#keys;
    const read = {
      record: keys.record(session),
      counters: keys.counters(session),
      seenPages: keys.seenItems(session, 'page'),
      uniquePages: keys.uniqueCount(session, 'page'),
    };
    const { values } = await archiveRead.run(this.#redis, read, { activityPrefix: keys.activity(session) });
    const [record, ...activity] = values;
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
      // Nobody can end a session whose time is over.
      reason: endedAt < header.expiresAt ? 'ended' : 'expired',
      createdAt: header.createdAt,
      lastSeenAt: header.lastSeenAt,
      endedAt,
      data: readFields(fields, NOT_ARCHIVED, 0),
      activity: activity.length === 0 ? null : readActivity(activity),
    };
  }

  /** Deletes a session that was archived, and tells it. False where another archiver has done so, or nothing was left. */
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

  /** Puts a session off for `pauseMs`. */
  async later({ session, endedAt, attempts }: WaitingSession, pauseMs: number): Promise<void> {
    const keys = this.#keys;
    const counters = keys.counters(session);
    await archiveLater.run(
      this.#redis,
      { ended: keys.ended(partitionOf(session)), record: keys.record(session), counters },
      {
        session,
        endedAt: String(endedAt),
        attempts,
        pauseMs,
        namespace: keys.namespace,
        activityPrefix: keys.activity(session),
      },
      { keys: keys.all(session).filter((key) => key !== counters) },
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

function readActivity([totalPages, uniquePages, exact, activeMinutes, day, minute]: number[]): ArchivedActivity {
  return {
    totalPages: totalPages!,
    uniquePages: uniquePages!,
    uniquePagesExact: exact === 1,
    activeMinutes: activeMinutes!,
    firstActiveMinute: day === undefined || minute === undefined ? null : day * DAY_MS + minute * MINUTE_MS,
  };
}

function ownText(fields: SessionFields, name: string): string | undefined {
  const json = fields.get(name);
  return json === undefined ? undefined : (JSON.parse(json) as string);
}

/** Waits for all, however they end.
 *  @throws what the first one that failed did. */
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
