import { randomBytes } from 'node:crypto';
import type { Knowledge } from '../knowledge/index.ts';
import { MergeSweep } from '../knowledge/index.ts';
import { Keys, type RedisConnection } from '../redis/index.ts';
import { Lease } from '../sessions/maintenance/index.ts';
import type { Log } from './log.ts';
import { LogThrottle } from './log-throttle.ts';

/** How often claimed sessions are looked at, in milliseconds. */
export const MERGE_INTERVAL_MS = 1_000;
const FAILURE_LOG_INTERVAL_MS = 1_000;

const PUT_OFF = 'What is known of a session could not be merged into its person: it is tried again in an hour.';
const GIVEN_UP =
  'What was known of a session could not be merged into its person for a day, because a record cannot be read: it is deleted.';

/** Looks after sessions that are claimed for a person, in one process at a time: what one that ended has left unmerged is
 *  merged, and sessions retire. */
export class PersonMerging {
  readonly #sweep: MergeSweep;
  readonly #lease: Lease;
  readonly #isEnabled: () => boolean;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;

  constructor(redis: RedisConnection, namespace: string, knowledge: Knowledge, isEnabled: () => boolean, log: Log) {
    const failures = new LogThrottle(FAILURE_LOG_INTERVAL_MS);
    this.#sweep = new MergeSweep(redis, namespace, knowledge.people, (session, err, isGivenUp) => {
      if (failures.mayLog()) log.error({ session, err }, isGivenUp ? GIVEN_UP : PUT_OFF);
    });
    this.#lease = new Lease(
      redis,
      new Keys(namespace).lease('merge'),
      randomBytes(8).toString('hex'),
      3 * MERGE_INTERVAL_MS,
    );
    this.#isEnabled = isEnabled;
    this.#now = knowledge.now;
  }

  /** Starts. Its timer does not keep the process alive. */
  start(): void {
    this.#timer = setInterval(() => {
      this.#sweeping ??= this.#sweepIfOurs().finally(() => {
        this.#sweeping = undefined;
      });
    }, MERGE_INTERVAL_MS).unref();
  }

  /** Stops and releases the lease. Waits for nothing: a frozen Redis would not answer. */
  stop(): void {
    clearInterval(this.#timer);
    void this.#lease.release();
  }

  async #sweepIfOurs(): Promise<void> {
    if (!this.#isEnabled() || !(await this.#lease.mayWork())) return;
    // A partition that cannot be reached is swept at the next interval.
    await this.#sweep.sweep(this.#now()).catch(() => undefined);
  }
}
