import type { MemoryBudget } from './memory-budget.ts';

const FIRST_CAPACITY = 64;

/** A list of 32-bit numbers that grows within a memory budget. */
export class IntList {
  /** The numbers; those from `length` on are 0 or old. It is another array after the list has grown. */
  values: Int32Array;
  length = 0;
  readonly #budget: MemoryBudget;
  readonly #advice: string;

  /** `advice`: what to do where the memory does not suffice. */
  constructor(budget: MemoryBudget, advice: string) {
    this.#budget = budget;
    this.#advice = advice;
    budget.take(4 * FIRST_CAPACITY, advice);
    this.values = new Int32Array(FIRST_CAPACITY);
  }

  push(value: number): void {
    if (this.length === this.values.length) this.reserve(this.length + 1);
    this.values[this.length++] = value;
  }

  /** Makes room for `capacity` numbers.
   *  @throws DiscoverError where the memory does not suffice. */
  reserve(capacity: number): void {
    if (capacity <= this.values.length) return;
    const old = this.values;
    const length = Math.max(capacity, 2 * old.length, FIRST_CAPACITY);
    this.#budget.take(4 * length, this.#advice);
    this.values = new Int32Array(length);
    this.values.set(old);
    this.#budget.give(4 * old.length);
  }

  /** Gives the memory back; the list is empty then. */
  release(): void {
    this.#budget.give(4 * this.values.length);
    this.values = new Int32Array(0);
    this.length = 0;
  }
}
