import type { RedisConnection } from './redis-connection.ts';

/** Tells the time in milliseconds of the epoch. */
export type Clock = () => number;

/** A clock that agrees with Redis's, so that all instances cut the same minutes: the local clock plus the offset that
 *  was last measured. */
export class RedisClock {
  #offsetMs = 0;

  /** The time now, by Redis. Before the first `measure` the local time. */
  readonly now: Clock = () => Date.now() + this.#offsetMs;

  /** Measures the offset: one TIME, taken as read halfway through its round trip. */
  async measure(redis: RedisConnection): Promise<void> {
    const sent = Date.now();
    const [seconds, microseconds] = await redis.command<[string, string]>('TIME');
    const halfway = (sent + Date.now()) / 2;
    const offset = Number(seconds) * 1000 + Number(microseconds) / 1000 - halfway;
    // Within a few milliseconds it is the round trip that is measured, not the clocks.
    this.#offsetMs = Math.abs(offset) < 20 ? 0 : Math.round(offset);
  }
}
