import type { CommandConnection } from './redis-connection.ts';

/** Tells the time in milliseconds of the epoch. */
export type Clock = () => number;

/** How old a measurement may be that says that a moment has passed, in milliseconds. */
const FRESH_MS = 50;
/** How many measurements the round trip is the shortest of. */
const ROUND_TRIPS = 6;

/** A clock that agrees with Redis's, so that all instances cut the same minutes and end the same sessions. Between two
 *  measurements it runs by the process's steady clock: a local clock that is set anew moves nothing. */
export class RedisClock {
  #originMs = performance.timeOrigin;
  #isMeasured = false;
  #errorMs = 0;
  #roundTrips: number[] = [];
  #measuredAt = Number.NEGATIVE_INFINITY;
  #measuring: Promise<void> | undefined;

  /** The time now, by Redis, in whole milliseconds. Before the first `measure` the local time. */
  readonly now: Clock = () => Math.floor(this.#originMs + performance.now());

  /** Whether it was measured. */
  get isMeasured(): boolean {
    return this.#isMeasured;
  }

  /** How far it may be off, in milliseconds: half the round trip of the last measurement. */
  get errorMs(): number {
    return this.#errorMs;
  }

  /** How long Redis takes to answer when it has nothing else to do, in milliseconds: the shortest round trip of the last
   *  six measurements. */
  get roundTripMs(): number {
    return this.#roundTrips.length === 0 ? 0 : Math.min(...this.#roundTrips);
  }

  /** Whether a moment has passed by Redis's clock, by a measurement that is not older than 50 ms: that clock can be set
   *  back. False where Redis does not tell. */
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

  /** Measures: one TIME, taken as read halfway through its round trip. */
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
