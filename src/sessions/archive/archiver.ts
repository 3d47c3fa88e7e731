import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { withDeadline } from '../../async/index.ts';
import { isTransient, Keys, type RedisConnection } from '../../redis/index.ts';
import type { ArchivedSession, ArchiveFunction } from '../archived-session.ts';
import { Lease } from '../expiry/lease.ts';
import type { SessionDataOptions } from '../options.ts';
import { RecordEncryption } from '../record/record-encryption.ts';
import { ArchiveQueue, type WaitingSession } from './archive-queue.ts';
import { ArchiveTimeoutError } from './archive-timeout-error.ts';

/* archiver.ts: hands ended sessions to an archive, and deletes them when it has taken them.
 *
 * A session waits in Redis until its archive has confirmed it, so neither a crash nor an unreachable archive loses one.
 * Two kinds of failure look alike from here, and each has its own pause:
 *   one session  (its data cannot be read, the archive refuses it): it is tried again after 1 s, 2 s ... 60 s, and
 *                stands in a set of its own meanwhile, so that any number of such sessions delays no other;
 *   the archive  (`parallel` new sessions in a row failed): all wait where they are, and after 1 s, 2 s ... 60 s a few
 *                are tried. The first success ends the wait. */

/** Options of an archiver. */
export interface ArchiverOptions {
  /** Length of the stream of lifecycle events, about. */
  readonly lifecycleLength: number;
  /** Keys to decrypt sessions; the same as the store's option. */
  readonly encryption?: SessionDataOptions['encryption'];
  /** Deadline of the archive for one session, in milliseconds. Default 10,000. */
  readonly deadlineMs?: number;
  /** How many sessions are handed over at once. Default 8. */
  readonly parallel?: number;
  /** Interval between two looks for waiting sessions, in milliseconds. Default 1,000. */
  readonly intervalMs?: number;
  /** The first pause after a failure, in milliseconds; each further one is twice as long. Default 1,000. */
  readonly firstPauseMs?: number;
  /** The longest pause, in milliseconds. Default 60,000. */
  readonly longestPauseMs?: number;
  /** Whether it may work now. Default: always. */
  readonly enabled?: () => boolean;
}

interface ArchiverEvents {
  /** A session was archived and deleted. */
  archived: [{ session: string; endedAt: number }];
  /** A session could not be archived; it waits and is tried again. */
  failed: [Error, { session: string; endedAt: number; attempts: number }];
  /** The archive has taken a session again, after a run of failures. */
  back: [];
  /** A waiting session had disappeared from Redis: it had expired, or was deleted from outside. */
  missing: [{ session: string; endedAt: number }];
}

const LEASE_INTERVALS = 5;
const ARM_INTERVAL_MS = 60_000;
const TTL_INTERVAL_MS = 3_600_000;
const AT_ONCE = 32;

/** Hands ended sessions to an archive. Any number of processes may run one; one at a time works. From `start` on, ended
 *  sessions wait in Redis until they are archived. */
export class Archiver extends EventEmitter<ArchiverEvents> {
  readonly #redis: RedisConnection;
  readonly #queue: ArchiveQueue;
  readonly #archive: ArchiveFunction;
  readonly #lease: Lease;
  readonly #keys: Keys;
  readonly #options: Required<Omit<ArchiverOptions, 'encryption' | 'lifecycleLength'>>;
  readonly #onReady = (): void => {
    // After a reconnect it may be another server, or an empty one.
    void this.#arm();
  };
  #timer: NodeJS.Timeout | undefined;
  #armedAt = Number.NEGATIVE_INFINITY;
  #ttlsExtendedAt = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #isOurs = false;
  #working: Promise<void> | undefined;
  #waiting = 0;
  // These concern the archive as a whole, not one session.
  #failuresInARow = 0;
  #pauses = 0;
  #pausedUntil = 0;

  /** @throws RangeError for invalid encryption keys. */
  constructor(redis: RedisConnection, namespace: string, archive: ArchiveFunction, options: ArchiverOptions) {
    super();
    this.#redis = redis;
    this.#archive = archive;
    this.#options = {
      deadlineMs: options.deadlineMs ?? 10_000,
      parallel: options.parallel ?? 8,
      intervalMs: options.intervalMs ?? 1_000,
      firstPauseMs: options.firstPauseMs ?? 1_000,
      longestPauseMs: options.longestPauseMs ?? 60_000,
      enabled: options.enabled ?? (() => true),
    };
    const encryption =
      options.encryption &&
      new RecordEncryption(options.encryption.keys, namespace, options.encryption.acceptPlain === true);
    this.#queue = new ArchiveQueue(redis, namespace, options.lifecycleLength, encryption);
    this.#keys = new Keys(namespace);
    const lease = this.#keys.lease('archive');
    this.#lease = new Lease(redis, lease, randomBytes(8).toString('hex'), this.#options.intervalMs * LEASE_INTERVALS);
  }

  /** How many sessions wait. 0 while another process is the one that works. */
  get waiting(): number {
    return this.#isOurs ? this.#waiting : 0;
  }

  /** Starts. Resolves when ended sessions wait for this archive; at once where Redis is away, and then they wait
   *  from its return on. Its timer does not keep the process alive. */
  async start(): Promise<this> {
    this.#redis.on('ready', this.#onReady);
    this.#timer = setInterval(() => void this.#tick(), this.#options.intervalMs).unref();
    await this.#arm();
    return this;
  }

  /** Stops: takes no further session, waits at most `deadlineMs` (default 1,000) for those in progress, and releases
   *  the lease. Unfinished sessions are archived again. Never throws. */
  async stop(deadlineMs = 1_000): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#redis.off('ready', this.#onReady);
    if (this.#working) {
      await withDeadline(this.#working, deadlineMs, () => undefined, { keepsAlive: false }).catch(() => undefined);
    }
    // Not awaited: a frozen Redis would not answer.
    void this.#lease.release();
  }

  async #tick(): Promise<void> {
    if (!this.#isReady || !this.#options.enabled()) return;
    if (performance.now() - this.#armedAt > ARM_INTERVAL_MS) await this.#arm();
    this.#isOurs = await this.#lease.take();
    if (this.#stopped || !this.#isOurs) return;
    if (performance.now() - this.#ttlsExtendedAt > TTL_INTERVAL_MS) {
      this.#ttlsExtendedAt = performance.now();
      void this.#queue.extend().catch(() => undefined);
    }
    // Sessions that Redis refuses now are still there at the next interval.
    this.#working ??= this.#work()
      .catch(() => undefined)
      .finally(() => {
        this.#working = undefined;
      });
  }

  async #arm(): Promise<void> {
    if (!this.#isReady || !this.#options.enabled()) return;
    this.#armedAt = performance.now();
    await this.#queue.arm().catch(() => {
      this.#armedAt = Number.NEGATIVE_INFINITY;
    });
  }

  async #work(): Promise<void> {
    for (let again = true; again && this.#mayWork(); ) {
      const { waiting, due } = await this.#queue.list(AT_ONCE);
      this.#waiting = waiting;
      if (this.#isAway && performance.now() < this.#pausedUntil) return;
      again = (await this.#takeAll(this.#isAway ? probes(due, this.#options.parallel) : due)) > 0;
      if (!this.#isAway) continue;
      this.#pauses += 1;
      this.#pausedUntil = performance.now() + this.#pauseAfter(this.#pauses);
    }
  }

  /** Tries sessions, `parallel` at a time, until the archive counts as away. Returns how many were archived. */
  async #takeAll(due: readonly WaitingSession[]): Promise<number> {
    const wasAway = this.#isAway;
    let done = 0;
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < due.length && this.#mayWork() && (wasAway || !this.#isAway)) {
        const entry = due[next]!;
        next += 1;
        const isTaken = this.#take(entry);
        // The sessions of other servers go on.
        if (await (this.#redis.failsInParts ? isTaken.catch(() => false) : isTaken)) done += 1;
      }
    };
    // Settled, not all: where Redis refuses one, the others are still in progress.
    const results = await Promise.allSettled(Array.from({ length: this.#options.parallel }, work));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return done;
  }

  /** Archives one session; false where it goes on waiting.
   *  @throws an error of Redis; then the session stays as it is. */
  async #take(entry: WaitingSession): Promise<boolean> {
    const { session, endedAt } = entry;
    let ended: ArchivedSession | undefined;
    try {
      ended = await this.#queue.read(entry);
    } catch (error) {
      if (this.#isAbsence(error, session)) throw error;
      await this.#putOff(entry, error);
      return false;
    }
    if (ended) {
      const { deadlineMs } = this.#options;
      const late = (): never => {
        throw new ArchiveTimeoutError(
          `The archive did not take session ${session} within ${deadlineMs} ms: it gets it again. Is its database slow?`,
        );
      };
      try {
        await withDeadline(this.#call(ended), deadlineMs, late, { keepsAlive: false });
      } catch (error) {
        // A session that failed before and fails again says nothing about the archive.
        if (entry.attempts === 0) this.#failuresInARow += 1;
        await this.#putOff(entry, error);
        return false;
      }
      if (this.#isAway) this.emit('back');
      this.#failuresInARow = 0;
      this.#pauses = 0;
    }
    const done = await this.#queue.done(entry);
    this.#waiting = Math.max(0, this.#waiting - 1);
    if (done) this.emit('archived', { session, endedAt });
    else if (!ended) this.emit('missing', { session, endedAt });
    return done;
  }

  async #call(ended: ArchivedSession): Promise<void> {
    await this.#archive(ended);
  }

  async #putOff(entry: WaitingSession, reason: unknown): Promise<void> {
    const { session, endedAt } = entry;
    const attempts = entry.attempts + 1;
    const error = reason instanceof Error ? reason : new Error(`The archive refused with ${String(reason)}.`);
    this.emit('failed', error, { session, endedAt, attempts });
    await this.#queue.later(entry, this.#pauseAfter(attempts));
  }

  get #isAway(): boolean {
    return this.#failuresInARow >= this.#options.parallel;
  }

  #pauseAfter(attempts: number): number {
    const { firstPauseMs, longestPauseMs } = this.#options;
    return Math.min(firstPauseMs * 2 ** Math.min(attempts - 1, 30), longestPauseMs);
  }

  #mayWork(): boolean {
    return this.#isOurs && !this.#stopped && this.#isReady && this.#options.enabled();
  }

  // In a Cluster: whether the lease can be held. Without the lease no process works, or all would call the archive.
  get #isReady(): boolean {
    return this.#redis.isReadyFor(this.#keys.lease('archive'));
  }

  // Whether the failure is Redis's and not the session's.
  #isAbsence(error: unknown, session: string): boolean {
    if (!this.#redis.isReadyFor(this.#keys.record(session))) return true;
    return this.#redis.failsInParts && isTransient(error);
  }
}

/** Chooses `count` sessions to try the archive with: new ones and failed ones, because only one of the kinds may
 *  succeed, and at random, because the archive may refuse all of the first ones. */
function probes(due: readonly WaitingSession[], count: number): WaitingSession[] {
  const half = Math.ceil(count / 2);
  const some = (entries: WaitingSession[]): WaitingSession[] =>
    Array.from({ length: Math.min(half, entries.length) }, () => {
      const [taken] = entries.splice(Math.floor(Math.random() * entries.length), 1);
      return taken!;
    });
  return [...some(due.filter(({ attempts }) => attempts === 0)), ...some(due.filter(({ attempts }) => attempts > 0))];
}
