import { IntList } from './int-list.ts';
import type { MemoryBudget } from './memory-budget.ts';

/** Finds the node that hangs under a parent by its item: a hash table with open addressing, whose nodes' own columns are its
 *  keys. Node 0 is the root and under no parent. */
export class PairTable {
  /** By node: the node above it, and its item. */
  readonly parent: IntList;
  readonly item: IntList;
  readonly #budget: MemoryBudget;
  readonly #advice: string;
  #slots: Int32Array = new Int32Array(0);
  #mask = 0;

  constructor(budget: MemoryBudget, advice: string) {
    this.#budget = budget;
    this.#advice = advice;
    this.parent = new IntList(budget, advice);
    this.item = new IntList(budget, advice);
    this.clear(0);
  }

  /** How many nodes there are, the root included. */
  get size(): number {
    return this.parent.length;
  }

  /** Removes all nodes but the root. `expected`: how many are to come; it may grow beyond. */
  clear(expected: number): void {
    this.parent.length = 0;
    this.item.length = 0;
    this.parent.push(0);
    this.item.push(-1);
    let slots = 16;
    while (slots < 2 * expected && slots < this.#slots.length) slots *= 2;
    if (slots > this.#slots.length) this.#makeSlots(slots);
    this.#mask = slots - 1;
    this.#slots.fill(0, 0, slots);
  }

  /** The node of an item under a parent; 0 where there is none. */
  find(parent: number, item: number): number {
    const slots = this.#slots;
    const parents = this.parent.values;
    const items = this.item.values;
    for (let slot = hashOf(parent, item) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const node = slots[slot]!;
      if (node === 0 || (parents[node] === parent && items[node] === item)) return node;
    }
  }

  /** Adds a node, which must not be there yet. Returns it. */
  add(parent: number, item: number): number {
    const node = this.parent.length;
    if (2 * (node + 1) > this.#mask + 1) this.#grow();
    this.parent.push(parent);
    this.item.push(item);
    this.#place(node);
    return node;
  }

  #place(node: number): void {
    const slots = this.#slots;
    let slot = hashOf(this.parent.values[node]!, this.item.values[node]!) & this.#mask;
    while (slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    slots[slot] = node;
  }

  #grow(): void {
    const slots = 2 * (this.#mask + 1);
    if (slots > this.#slots.length) this.#makeSlots(slots);
    this.#mask = slots - 1;
    this.#slots.fill(0, 0, slots);
    for (let node = 1; node < this.parent.length; node += 1) this.#place(node);
  }

  #makeSlots(slots: number): void {
    this.#budget.take(4 * slots, this.#advice);
    this.#budget.give(4 * this.#slots.length);
    this.#slots = new Int32Array(slots);
  }
}

function hashOf(parent: number, item: number): number {
  const mixed = Math.imul(parent, 0x9e3779b1) ^ Math.imul(item + 1, 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> 7;
}
