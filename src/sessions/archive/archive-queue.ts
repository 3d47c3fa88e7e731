import { Keys, PARTITIONS, partitionOf, type RedisConnection } from '../../redis/index.ts';
import { type ClusterSide, clusterSideOf } from '../cluster/deferred-index-writes.ts';
import { readBody } from '../record/record-body.ts';
import type { Seal } from '../record/record-encryption.ts';
import { readHeader } from '../record/record-header.ts';
import { DEVICE_FIELD, readFields, type SessionFields, USER_FIELD } from '../record/session-fields.ts';
import type { ArchivedActivity, ArchivedSession } from './archived-session.ts';
import { archiveDone } from './scripts/archive-done.ts';
import { archiveKeep } from './scripts/archive-keep.ts';
import { archiveLater } from './scripts/archive-later.ts';
import { archiveRead } from './scripts/archive-read.ts';
import { archiveWaiting } from './scripts/archive-waiting.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const KEEP_AT_ONCE = 200;
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
  readonly #seal: Seal | undefined;
  readonly #cluster: ClusterSide | undefined;

  constructor(redis: RedisConnection, namespace: string, lifecycleLength: number, seal: Seal | undefined) {
    this.#redis = redis;
    this.#keys = new Keys(namespace);
    this.#lifecycleLength = lifecycleLength;
    this.#seal = seal;
    this.#cluster = clusterSideOf(redis, this.#keys, lifecycleLength);
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
      .map((ended) => archiveWaiting.run(this.#redis, [ended], [this.#keys.namespace, limit]));
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

  /** All that is known of a session; undefined where nothing is left of it.
   *  @throws SessionDataError where it is sealed and the key is not here. */
  async read({ session, endedAt }: WaitingSession): Promise<ArchivedSession | undefined> {
    const keys = this.#keys;
    const [facts, pages, unique] = keys.all(session);
    const reply = await archiveRead.runForBuffers(
      this.#redis,
      [keys.record(session), facts!, pages!, unique!],
      [keys.activity(session)],
    );
    if (!reply) return undefined;
    const [record, ...activity] = reply;
    const header = readHeader(record);
    const fields = readBody(this.#seal, session, record, header);
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
    const streams = this.#cluster ? [keys.outbox(partition), keys.absent(partition)] : [keys.lifecycle()];
    const done = await archiveDone.run(
      this.#redis,
      [keys.record(session), keys.ended(partition), ...streams],
      [session, endedAt, attempts, keys.namespace, this.#lifecycleLength],
    );
    this.#cluster?.told(session);
    return done === 1;
  }

  /** Puts a session off for `pauseMs`. */
  async later({ session, endedAt, attempts }: WaitingSession, pauseMs: number): Promise<void> {
    const keys = this.#keys;
    await archiveLater.run(
      this.#redis,
      [keys.ended(partitionOf(session)), keys.record(session), ...keys.all(session)],
      [session, endedAt, attempts, pauseMs, keys.namespace, keys.activity(session)],
    );
  }

  /** Keeps what has waited for long from expiring.
   *  @throws where it could not be done for all. */
  async keep(): Promise<void> {
    await allOf(partitions().map((partition) => this.#keepOf(partition)));
  }

  async #keepOf(partition: number): Promise<void> {
    for (let first = 0, count = KEEP_AT_ONCE; count === KEEP_AT_ONCE; first += count) {
      const args = [this.#keys.namespace, first, KEEP_AT_ONCE];
      count = await archiveKeep.run(this.#redis, [this.#keys.ended(partition)], args);
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
