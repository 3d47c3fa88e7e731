/* hot-cache.ts: two generations. A name that is asked for again moves to the younger; when that is full, the older is
 * dropped whole. Deleting the oldest key of one Map instead costs V8 a walk over all keys deleted before it: 5 us for each
 * new name once the Map is full, as much as an HMAC. */

/** A bounded cache of what is computed from a name; it keeps what was asked for last. */
export class HotCache<Value> {
  readonly #compute: (name: string) => Value;
  readonly #size: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  /** `size`: of each of two generations. */
  constructor(size: number, compute: (name: string) => Value) {
    this.#size = size;
    this.#compute = compute;
  }

  /** Returns the value of a name, and computes it where it is not kept. */
  of(name: string): Value {
    let value = this.#young.get(name);
    if (value !== undefined) return value;
    value = this.#old.get(name) ?? this.#compute(name);
    if (this.#young.size >= this.#size) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(copyOf(name), value);
    return value;
  }
}

// A name that was cut out of a message keeps all of the message in memory: up to 64 KiB, 20,000 times.
function copyOf(name: string): string {
  return JSON.parse(JSON.stringify(name)) as string;
}
