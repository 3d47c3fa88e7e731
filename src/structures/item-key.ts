import { createHmac } from 'node:crypto';
import type { ItemKind } from '../redis/index.ts';

/* item-key.ts: the integer that Redis holds in place of an item.
 *
 * The first 53 bits of HMAC-SHA-256(secret, kind NUL item), as a non-negative integer: exact as a Lua number and short
 * enough for an intset, neither of which 64 bits are. Without a key an item is not one-way: a site's pages are few and
 * known, and trying them all against unkeyed filters gave back the exact page sets of 32,707 of 32,711 real sessions
 * (design.md). Two items share an integer with probability n²/2^54: one in 1.8 million for a session of 100,000. */

// Of each of two generations.
const HOT_ITEMS = 10_000;

/** Turns items into the integers that stand for them. */
export class ItemKey {
  readonly #secret: string;
  // Two generations: an item that is asked for again moves to the younger; when that is full, the older is dropped whole.
  // Deleting the oldest key of one Map instead costs V8 a walk over all keys deleted before it: 5 us for each new item
  // once the Map is full, as much as the HMAC.
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  /** @throws RangeError where `secret` has fewer than 16 characters. */
  static check(secret: string): void {
    if (secret.length >= 16) return;
    throw new RangeError('The secret is too short: give at least 16 characters, better 32 random ones.');
  }

  /** @throws RangeError where `secret` has fewer than 16 characters. */
  constructor(secret: string) {
    ItemKey.check(secret);
    this.#secret = secret;
  }

  /** The integer of an item, in decimal: Lua would round it if it went through a number's text. */
  of(kind: ItemKind | 'group', item: string): string {
    const named = `${kind}\0${item}`;
    let key = this.#young.get(named);
    if (key !== undefined) return key;
    key = this.#old.get(named) ?? this.#keyOf(named);
    if (this.#young.size >= HOT_ITEMS) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(named, key);
    return key;
  }

  /** The integers of many items of one kind. */
  ofAll(kind: ItemKind | 'group', items: readonly string[]): string[] {
    return items.map((item) => this.of(kind, item));
  }

  /** Identifies the secret and does not reveal it: 16 hexadecimal digits. */
  fingerprint(): string {
    return this.#hmac('sessionwise fingerprint').toString('hex').slice(0, 16);
  }

  #keyOf(named: string): string {
    const digest = this.#hmac(named);
    return String(digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11));
  }

  #hmac(text: string): Buffer {
    return createHmac('sha256', this.#secret).update(text).digest();
  }
}
