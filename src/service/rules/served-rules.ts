import { HotCache, type ItemHash, type ItemHasher } from '../../knowledge/index.ts';
import { type CheckedRules, CompiledRules } from '../../rules/index.ts';

/* served-rules.ts: compiled rules with the hashes of all that they ask about. Hashing a name costs an HMAC, and a question
 * about all rules must not cost thousands of them. */

const REMEMBERED_PAGES = 10_000;

/** The rules of a service at one time. */
export class ServedRules {
  readonly compiled: CompiledRules;
  /** By the number of an item, as a page and as a marked item. */
  readonly pages: readonly ItemHash[];
  readonly items: readonly ItemHash[];
  /** The numbers of items by their hashes. */
  readonly numbersOfPages: ReadonlyMap<ItemHash, number>;
  readonly numbersOfItems: ReadonlyMap<ItemHash, number>;
  /** The numbers of facts by their hashes. */
  readonly numbersOfFacts: ReadonlyMap<ItemHash, number>;
  readonly #hasher: ItemHasher;
  readonly #clustersOf: HotCache<readonly ItemHash[]>;

  constructor(rules: CheckedRules, items: ItemHasher) {
    const compiled = new CompiledRules(rules);
    this.compiled = compiled;
    this.#hasher = items;
    this.pages = items.ofAll('page', compiled.items);
    this.items = items.ofAll('item', compiled.items);
    this.numbersOfPages = new Map(this.pages.map((hash, number) => [hash, number]));
    this.numbersOfItems = new Map(this.items.map((hash, number) => [hash, number]));
    this.numbersOfFacts = new Map(compiled.facts.map(({ kind, name }, number) => [items.of(kind, name), number]));
    this.#clustersOf = new HotCache(REMEMBERED_PAGES, (page) => items.ofAll('cluster', compiled.clusters.of(page)));
  }

  /** The clusters of a page. */
  clustersOf(page: string): readonly ItemHash[] {
    return Object.keys(this.compiled.patterns).length === 0 ? [] : this.#clustersOf.of(page);
  }

  /** The hash of a page. */
  hashOfPage(page: string): ItemHash {
    return this.#hasher.of('page', page);
  }

  /** The number of a page as an item; undefined where no rule asks about it. */
  numberOfPage(page: string): number | undefined {
    return this.numbersOfPages.get(this.hashOfPage(page));
  }
}
