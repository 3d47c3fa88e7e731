import { createToken, type RefusedRobots, sessionOf } from '../protocol/index.ts';
import { MOST_REFUSED } from '../protocol/internal/index.ts';
import type { SessionTransport } from '../transport/index.ts';

/** How often the service is told, in milliseconds. */
export const ROBOTS_INTERVAL_MS = 1_000;
/** So often it is looked for before robots are forgotten: what is told much later belongs to no present minute. */
const MOST_LOOKS = 10;

/** Counts requests of robots in this process and tells the service, at most once a second: no robot can make us send more.
 *  Where no service is known for ten seconds that counts them, they are forgotten. */
export class RobotCounting {
  readonly #transport: SessionTransport;
  // Of no session: it decides which instance counts them.
  readonly #id = sessionOf(createToken());
  #count = 0;
  #looks = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(transport: SessionTransport) {
    this.#transport = transport;
  }

  /** Counts a request. */
  add(): void {
    this.#count = Math.min(this.#count + 1, MOST_REFUSED);
    this.#timer ??= this.#begin();
  }

  /** Tells what was counted, waits for nothing, and stops. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#isServed) this.#tell();
  }

  get #isServed(): boolean {
    return this.#transport.serves('robots', this.#id);
  }

  #begin(): NodeJS.Timeout {
    return setTimeout(() => this.#look(), ROBOTS_INTERVAL_MS).unref();
  }

  #look(): void {
    this.#timer = undefined;
    this.#looks += 1;
    if (this.#isServed) this.#tell();
    else if (this.#looks < MOST_LOOKS) this.#timer = this.#begin();
    else this.#forget();
  }

  #tell(): void {
    if (this.#count === 0) return;
    const told: RefusedRobots = { refused: this.#count };
    this.#forget();
    void this.#transport.publish('robots', this.#id, JSON.stringify(told));
  }

  #forget(): void {
    this.#count = 0;
    this.#looks = 0;
  }
}
