import type { CommandConnection } from './redis-connection.ts';

/** Tells the time in milliseconds of the epoch. */
export type Clock = () => number;

/** The age up to which a measurement proves that a moment has passed, in milliseconds. */
const FRESH_MS = 50;
/** The number of measurements that `roundTripMs` is the minimum of. */
const ROUND_TRIPS = 6;

/** Follows Redis's clock, so that all instances agree on minutes and on the ends of sessions. Between two measurements it
 *  runs by the process's monotonic clock: setting the local clock has no effect. */
export class RedisClock {
  #originMs = performance.timeOrigin;
  #isMeasured = false;
  #errorMs = 0;
  #roundTrips: number[] = [];
  #measuredAt = Number.NEGATIVE_INFINITY;
  #measuring: Promise<void> | undefined;

  /** The time now, by Redis, in whole milliseconds. Before the first `measure` the local time. */
  readonly now: Clock = () => Math.floor(this.#originMs + performance.now());

  /** Whether it was measured at least once. */
  get isMeasured(): boolean {
    return this.#isMeasured;
  }

  /** The largest possible error, in milliseconds: half the round trip of the last measurement. */
  get errorMs(): number {
    return this.#errorMs;
  }

  /** The round trip to an idle Redis, in milliseconds: the shortest of the last six measurements. */
  get roundTripMs(): number {
    return this.#roundTrips.length === 0 ? 0 : Math.min(...this.#roundTrips);
  }

  /** Whether a moment has passed by Redis's clock. Measures again where the last measurement is older than 50 ms, because
   *  that clock can be set back. False where Redis does not answer. */
  async hasPassed(atMs: number, redis: Pick<CommandConnection, 'command'>): Promise<boolean> {
    if (performance.now() - this.#measuredAt > FRESH_MS) {
      this.#measuring ??= this.measure(redis).finally(() => {
        this.#measuring = undefined;
      });
      const isMeasured = await this.#measuring.then(
        () => true,
        () => false,
      );
      if (!isMeasured) return false;
    }
    return this.now() > atMs;
  }

  /** Measures with one TIME, which is taken as read halfway through its round trip.
   *  @throws the error that Redis answers. */
  async measure(redis: Pick<CommandConnection, 'command'>): Promise<void> {
    const sent = performance.now();
    const [seconds, microseconds] = await redis.command<[string, string]>('TIME');
    const halfway = (sent + performance.now()) / 2;
    this.#originMs = Number(seconds) * 1000 + Number(microseconds) / 1000 - halfway;
    this.#isMeasured = true;
    this.#measuredAt = sent;
    this.#errorMs = (performance.now() - sent) / 2;
    this.#roundTrips = [...this.#roundTrips.slice(1 - ROUND_TRIPS), 2 * this.#errorMs];
  }
}
