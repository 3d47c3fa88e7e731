import type { CommandConnection, Keys } from '../redis/index.ts';

/** How long somebody is taken to listen behind a question for a stream. Streams ask more often (src/live). */
const LISTENING_SECONDS = 600;
const NOTE_AGAIN_MS = 60_000;
const LOOK_AGAIN_MS = 10_000;

/** Whether pages listen in a namespace, whatever instance their streams asked. */
export class Listening {
  readonly #redis: CommandConnection;
  readonly #key: string;
  #notedAt = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #found: Promise<boolean> = Promise.resolve(false);

  constructor(redis: CommandConnection, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.listening();
  }

  /** Notes that a stream asked: one write a minute at most. */
  note(): void {
    const now = performance.now();
    if (now - this.#notedAt < NOTE_AGAIN_MS) return;
    this.#notedAt = now;
    void this.#redis.command('SET', this.#key, '1', 'EX', String(LISTENING_SECONDS)).catch(() => undefined);
  }

  /** Whether anybody listens. Where this instance was not asked itself, Redis is, once in ten seconds at most. */
  async isAnybody(): Promise<boolean> {
    const now = performance.now();
    if (now - this.#notedAt < LISTENING_SECONDS * 1_000) return true;
    if (now - this.#lookedAt >= LOOK_AGAIN_MS) {
      this.#lookedAt = now;
      this.#found = this.#redis.command<number>('EXISTS', this.#key).then(
        (found) => found === 1,
        () => false,
      );
    }
    return this.#found;
  }
}
