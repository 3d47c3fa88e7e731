import { isTransient, isUnreadable, Keys, PARTITIONS, type RedisConnection } from '../../redis/index.ts';
import { ContendedError } from './contended-error.ts';
import type { People } from './people.ts';

/** At how many sessions it looks at once, and of how many of a partition in one sweep. */
export const AT_ONCE = 100;
/** How long a session waits that could not be merged because of the state of Redis, or because others wrote all the time, in
 *  milliseconds. Behind it stand others: a partition whose first ones fail must not stand still. */
export const RETRY_MS = 5_000;
/** How long a session waits that could not be merged for another reason, in milliseconds. */
export const FAILED_RETRY_MS = 3_600_000;
/** How long a session is tried whose record, or whose person's, cannot be read, in milliseconds. */
export const UNREADABLE_MS = 86_400_000;

/** Is told of each session that could not be merged. `isGivenUp`: what was known of it is deleted. */
export type MergeFailed = (session: string, error: Error, isGivenUp: boolean) => void;

/** Looks at the claimed sessions whose time has come: merges what a process left unmerged, and lets sessions retire. */
export class MergeSweep {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #people: People;
  readonly #onFailed: MergeFailed;

  /** `onFailed`: is told of what is no passing state of Redis. */
  constructor(redis: RedisConnection, namespace: string, people: People, onFailed: MergeFailed = () => undefined) {
    this.#redis = redis;
    this.#keys = new Keys(namespace);
    this.#people = people;
    this.#onFailed = onFailed;
  }

  /** Does one sweep over all partitions. Returns at how many sessions it looked. One that fails is put off.
   *  @throws the first partition's error, when the others are done. */
  async sweep(now: number): Promise<number> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    const due = await Promise.allSettled(partitions.map((partition) => this.#dueIn(partition, now)));
    const sessions = due.flatMap((found) => (found.status === 'fulfilled' ? found.value : []));
    // Some at a time: what pages ask goes over the same connection, and stands behind them.
    for (let from = 0; from < sessions.length; from += AT_ONCE) {
      await Promise.all(sessions.slice(from, from + AT_ONCE).map((session) => this.#lookAt(session, now)));
    }
    for (const found of due) if (found.status === 'rejected') throw found.reason;
    return sessions.length;
  }

  #dueIn(partition: number, now: number): Promise<string[]> {
    const due = ['-inf', String(Math.floor(now)), 'LIMIT', '0', String(AT_ONCE)];
    return this.#redis.command('ZRANGEBYSCORE', this.#keys.merging(partition), ...due);
  }

  async #lookAt(session: string, now: number): Promise<void> {
    try {
      await this.#people.lookAt(session);
    } catch (error) {
      // Where this fails too, it is due at the next sweep.
      await this.#putOff(session, error as Error, now).catch(() => undefined);
    }
  }

  async #putOff(session: string, error: Error, now: number): Promise<void> {
    if (isTransient(error) || error instanceof ContendedError) {
      await this.#people.postpone(session, now + RETRY_MS);
      return;
    }
    const mostMs = isUnreadable(error) ? UNREADABLE_MS : 0;
    const outcome = await this.#people.postpone(session, now + FAILED_RETRY_MS, mostMs);
    if (outcome !== 'gone') this.#onFailed(session, error, outcome === 'givenUp');
  }
}
