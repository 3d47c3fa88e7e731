import { createToken, type RefusedRobots, sessionOf } from '../protocol/index.ts';
import { MOST_REFUSED } from '../protocol/internal/index.ts';
import type { SessionTransport } from '../transport/index.ts';

/** How often the service is told, in milliseconds. */
export const ROBOTS_INTERVAL_MS = 1_000;

/** Counts requests of robots in this process and tells the service, at most once a second: no robot can make us send more.
 *  Where no service is known that counts them, they are forgotten. */
export class RobotCounting {
  readonly #transport: SessionTransport;
  // Of no session: it decides which instance counts them.
  readonly #id = sessionOf(createToken());
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(transport: SessionTransport) {
    this.#transport = transport;
  }

  /** Counts a request. */
  add(): void {
    this.#count = Math.min(this.#count + 1, MOST_REFUSED);
    this.#timer ??= setTimeout(() => this.tell(), ROBOTS_INTERVAL_MS).unref();
  }

  /** Tells what was counted, and waits for nothing. */
  tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const told: RefusedRobots = { refused: this.#count };
    this.#count = 0;
    if (told.refused === 0 || !this.#transport.serves('robots', this.#id)) return;
    void this.#transport.publish('robots', this.#id, JSON.stringify(told));
  }
}
