/* attached-map.ts: a WeakMap whose values lie in the objects themselves.
 *
 * V8 goes through all entries of a WeakMap with each collection of young objects, and a store makes entries for each
 * request: with WeakMaps for what is known of a session, a fifth of the CPU of a `get` was garbage collection. */

/** Makes the fields of a class that extends it on an object that is there already. */
class Attachment {
  constructor(target: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is how a private field gets onto an object of others.
    return target;
  }
}

interface Entry {
  readonly owner: object;
  value: unknown;
  readonly next: Entry | undefined;
}

// Callers ask for the same object several times in a row, and objects of many shapes make a private field slow to find.
let lastTarget: object | undefined;
let lastFirst: Entry | undefined;

/** A private field on any object: neither code nor JSON sees it, and frozen objects take it too. */
class Attached extends Attachment {
  #first: Entry | undefined;

  static firstOf(target: object): Entry | undefined {
    if (target === lastTarget) return lastFirst;
    // With `unset` a page gives its session up by setting it to null.
    if (typeof target !== 'object' || target === null) return undefined;
    lastTarget = target;
    lastFirst = #first in target ? (target as Attached).#first : undefined;
    return lastFirst;
  }

  static add(target: object, owner: object, value: unknown): void {
    const attached = #first in target ? (target as Attached) : new Attached(target);
    attached.#first = { owner, value, next: attached.#first };
    lastTarget = target;
    lastFirst = attached.#first;
  }
}

/** Keeps a value for any object, for as long as the object lives. For few maps an object: it keeps a list of them. */
export class AttachedMap<Value> {
  get(target: object): Value | undefined {
    return this.#entryOf(target)?.value as Value | undefined;
  }

  set(target: object, value: Value): void {
    const entry = this.#entryOf(target);
    if (entry) entry.value = value;
    else Attached.add(target, this, value);
  }

  #entryOf(target: object): Entry | undefined {
    let entry = Attached.firstOf(target);
    while (entry && entry.owner !== this) entry = entry.next;
    return entry;
  }
}
