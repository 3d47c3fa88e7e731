const MOST_REMEMBERED = 10_000;

/** Visitors that this process knows to be merged into a person, although their browsers may still have the cookie: the
 *  answer to `identify` came behind the head of the page. Without this memory a browser that asks for nothing but pages
 *  that wait for nothing would be merged again and again. */
export class MergedVisitors {
  readonly #pairs = new Set<string>();

  /** Notes that a visitor is merged into a person. */
  add(visitor: string, person: string): void {
    if (this.#pairs.size >= MOST_REMEMBERED) this.#pairs.clear();
    this.#pairs.add(`${visitor} ${person}`);
  }

  /** Whether a visitor is known to be merged into a person. */
  has(visitor: string, person: string): boolean {
    return this.#pairs.has(`${visitor} ${person}`);
  }
}
