import { atEndOfTurn } from '../async/index.ts';
import type { Keys, RedisConnection } from '../redis/index.ts';

// An answer of some hundred kilobytes at most.
const MOST_AT_ONCE = 100;

interface Waiting {
  readonly key: string;
  resolve(record: Buffer | null): void;
  reject(error: unknown): void;
}

/** Reads the records of subjects. What is asked for in one turn of the event loop is read with one command: a command costs
 *  the service and Redis more than a record. */
export class RecordReads {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  #waiting: Waiting[] = [];

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Reads a record; null where there is none. */
  read(subject: string): Promise<Buffer | null> {
    const key = this.#keys.subject(subject);
    if (this.#redis.oneSlotPerRead) return this.#redis.commandForBuffers<Buffer | null>('GET', key);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      if (this.#waiting.length === 1) atEndOfTurn(this.#readWaiting);
    });
  }

  /** Sends what waits, if the subject's record is among it: a question that came before a write does not see it. */
  sendBefore(subject: string): void {
    if (this.#waiting.length === 0) return;
    const key = this.#keys.subject(subject);
    if (this.#waiting.some((waiting) => waiting.key === key)) this.#readWaiting();
  }

  readonly #readWaiting = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < waiting.length; from += MOST_AT_ONCE)
      this.#readSome(waiting.slice(from, from + MOST_AT_ONCE));
  };

  #readSome(some: readonly Waiting[]): void {
    const keys = some.map(({ key }) => key);
    const reading =
      keys.length === 1
        ? this.#redis.commandForBuffers<Buffer | null>('GET', keys[0]!).then((record) => [record])
        : this.#redis.commandForBuffers<(Buffer | null)[]>('MGET', ...keys);
    reading.then(
      (records) => {
        for (const [i, { resolve }] of some.entries()) resolve(records[i]!);
      },
      (error: unknown) => {
        for (const { reject } of some) reject(error);
      },
    );
  }
}
