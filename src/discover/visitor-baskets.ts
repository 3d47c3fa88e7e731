import type { BasketStore } from './basket-store.ts';
import { IntList } from './int-list.ts';
import type { MemoryBudget } from './memory-budget.ts';

/* visitor-baskets.ts: an access log mixes its visitors, so their pages are gathered until its end: a list a visitor, chained
 * in one array, 8 bytes a view. */

const VISITOR_BYTES = 200;
const ADVICE = 'give a shorter part of the log';
const NONE = -1;

/** The pages of the visitors of a log. Each visitor becomes one basket. */
export class VisitorBaskets {
  readonly #store: BasketStore;
  readonly #budget: MemoryBudget;
  readonly #numbers = new Map<string, number>();
  // By visitor: the place of the last view. By place: the page, and the place of the view before it.
  readonly #last: IntList;
  readonly #pages: IntList;
  readonly #before: IntList;
  #visitorBytes = 0;

  constructor(store: BasketStore, budget: MemoryBudget) {
    this.#store = store;
    this.#budget = budget;
    this.#last = new IntList(budget, ADVICE);
    this.#pages = new IntList(budget, ADVICE);
    this.#before = new IntList(budget, ADVICE);
  }

  /** Notes that a visitor saw a page.
   *  @throws DiscoverError where the memory does not suffice. */
  note(visitor: string, page: string): void {
    const number = this.#numberOf(visitor);
    const item = this.#store.numberOf(page);
    const last = this.#last.values[number]!;
    if (last !== NONE && this.#pages.values[last] === item) return;
    this.#last.values[number] = this.#pages.length;
    this.#pages.push(item);
    this.#before.push(last);
  }

  /** Adds a basket a visitor to the store, in the order in which the visitors came, and forgets the visitors. */
  finish(): void {
    for (let visitor = 0; visitor < this.#last.length; visitor += 1) {
      this.#store.add(this.#itemsOf(visitor));
    }
    this.#numbers.clear();
    this.#budget.give(this.#visitorBytes);
    this.#visitorBytes = 0;
    for (const list of [this.#last, this.#pages, this.#before]) list.release();
  }

  *#itemsOf(visitor: number): Generator<number> {
    for (let at = this.#last.values[visitor]!; at !== NONE; at = this.#before.values[at]!)
      yield this.#pages.values[at]!;
  }

  #numberOf(visitor: string): number {
    const known = this.#numbers.get(visitor);
    if (known !== undefined) return known;
    const bytes = VISITOR_BYTES + 2 * visitor.length;
    this.#budget.take(bytes, ADVICE);
    this.#visitorBytes += bytes;
    const number = this.#last.length;
    this.#numbers.set(visitor, number);
    this.#last.push(NONE);
    return number;
  }
}
