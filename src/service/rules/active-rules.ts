import type { ItemHasher } from '../../knowledge/index.ts';
import { type CheckedRules, checkRules, type Rules } from '../../rules/index.ts';
import { ServedRules } from './served-rules.ts';

/** The rules by which a service answers now. They can be replaced while it runs: a question that is under way goes on with
 *  those that it began with. */
export class ActiveRules {
  readonly #items: ItemHasher;
  #current: ServedRules;

  constructor(items: ItemHasher, rules: CheckedRules) {
    this.#items = items;
    this.#current = new ServedRules(rules, items);
  }

  get current(): ServedRules {
    return this.#current;
  }

  /** Replaces all rules. Where the new ones cannot be used, the old ones stay.
   *  @throws RangeError that begins with the place of what is wrong. */
  set(rules: Rules): void {
    this.#current = new ServedRules(checkRules(rules), this.#items);
  }
}
