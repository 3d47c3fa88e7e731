import type { CommandConnection } from './redis-connection.ts';

/** Tells the time in milliseconds of the epoch. */
export type Clock = () => number;

/** A clock that agrees with Redis's, so that all instances cut the same minutes and end the same sessions. Between two
 *  measurements it runs by the process's steady clock: a local clock that is set anew moves nothing. */
export class RedisClock {
  #originMs = performance.timeOrigin;
  #isMeasured = false;
  #errorMs = 0;

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

  /** Measures: one TIME, taken as read halfway through its round trip. */
  async measure(redis: Pick<CommandConnection, 'command'>): Promise<void> {
    const sent = performance.now();
    const [seconds, microseconds] = await redis.command<[string, string]>('TIME');
    const halfway = (sent + performance.now()) / 2;
    this.#originMs = Number(seconds) * 1000 + Number(microseconds) / 1000 - halfway;
    this.#isMeasured = true;
    this.#errorMs = (performance.now() - sent) / 2;
  }
}
