import type { FilterEngine, RedisConnection } from '../redis/index.ts';
import { readAnswers } from './fetched-filter.ts';
import { addToFilterScript, askFilterScript } from './scripts/seen-filter-scripts.ts';

/* seen-filter.ts: a scalable Bloom filter over encrypted items (56 bits), in two engines with one contract.
 *
 * Scalable Bloom filters: Almeida, Baquero, Preguiça, Hutchison, 2007. Layer i holds 2^i times the first capacity at
 * an error rate of e / 2^(i+1); the sum over all layers stays below e at any size. Never a false negative.
 *
 * native    the server's BF.RESERVE, BF.ADD and BF.MEXISTS, which scale by the same rule.
 * portable  one string, for servers without a module. Layout, big-endian:
 *             bytes 0-3   items added
 *             bytes 4-7   capacity of the first layer
 *             bytes 8-11  inverse error rate (100 for 0.01)
 *             then the layers, each of whole bytes.
 *           The parameters stand in the filter itself, so that a configuration can change while old filters live.
 *           Bits come from the two halves of an item by enhanced double hashing (Dillinger, Manolios, 2004).
 *           At 14 layers (1,638,300 items of first capacity 100, about 6 MB) it stops growing: memory is bounded, and
 *           beyond that size the error rate rises. */

/** How new filters are made; existing ones keep their own. */
export interface SeenFilterOptions {
  /** Of a "seen" that is false. Default 0.01. */
  readonly errorRate: number;
  /** Items in the first layer. Default 100. */
  readonly firstCapacity: number;
}

/** The defaults of design.md. */
export const SEEN_FILTER_DEFAULTS: SeenFilterOptions = { errorRate: 0.01, firstCapacity: 100 };

/** A seen filter in a key of its own: the large form of seen items. The contract of both engines: `add` and `has` answer per
 *  item, a false "seen" happens at the configured rate, a false "unseen" never. */
export class SeenFilter {
  readonly #redis: RedisConnection;
  readonly #add: ReturnType<typeof addToFilterScript>;
  readonly #ask: ReturnType<typeof askFilterScript>;

  constructor(redis: RedisConnection, engine: FilterEngine, options: SeenFilterOptions = SEEN_FILTER_DEFAULTS) {
    this.#redis = redis;
    this.#add = addToFilterScript(engine, options);
    this.#ask = askFilterScript(engine, options);
  }

  /** Adds encrypted items; per item, whether the filter held it before. The filter is made where it is absent. */
  async add(key: string, items: readonly string[]): Promise<boolean[]> {
    const held = await this.#add.run(this.#redis, { filter: key }, {}, { args: items });
    return held.map((each) => each === 1);
  }

  /** Per encrypted item, whether it is there. An absent filter holds nothing. */
  async has(key: string, items: readonly string[]): Promise<boolean[]> {
    return readAnswers(await this.#ask.run(this.#redis, { filter: key }, {}, { args: items }), items);
  }
}
