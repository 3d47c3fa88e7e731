import type { RedisConnection } from '../../redis/index.ts';

/** Work that a store does behind the caller's back. */
export type DeferredStep = (redis: RedisConnection) => Promise<unknown>;

const MAX_WAITING = 1_000;

/** Work that waits until operations on its slot succeed again. It is bounded, and its failures are ignored: the store
 *  must be right without it. */
export class DeferredWork {
  readonly #redis: RedisConnection;
  #waiting: { readonly slot: number; readonly step: DeferredStep }[] = [];

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Adds a step for a slot. Where 1,000 wait already, it is dropped. */
  add(slot: number, step: DeferredStep): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push({ slot, step });
  }

  /** Runs the steps of a slot. */
  run(slot: number): void {
    const due = this.#waiting.filter((entry) => entry.slot === slot);
    this.#waiting = this.#waiting.filter((entry) => entry.slot !== slot);
    for (const { step } of due) step(this.#redis).catch(() => undefined);
  }
}
