import { createHmac } from 'node:crypto';
import { HotCache } from './hot-cache.ts';

/* item-hash.ts: the number that stands for an item in the service.
 *
 * The first 53 bits of HMAC-SHA-256(secret, namespace NUL kind NUL name): exact as a number. No subject's data hold it: it
 * is the same for all subjects, so a visitor who opens each page once would have a dictionary of the site. What Redis
 * holds of a subject is encrypted for that subject (item-encryption.ts). Two items share a number with probability n²/2^54: one in 1.8 million for a subject
 * of 100,000. */

/** The kinds of what is hashed. A page and a notice of the same name are two items. */
export type HashedKind = 'page' | 'item' | 'notice' | 'group' | 'segment' | 'own' | 'event' | 'cluster' | 'rule';

/** The number that stands for an item: a whole number below 2^53. */
export type ItemHash = number;

// Of each kind and of each of two generations.
const HOT_ITEMS = 10_000;

/** Hashes items with the secret, and remembers those that were asked for last. */
export class ItemHasher {
  readonly #secret: string;
  readonly #caches: Readonly<Record<HashedKind, HotCache<ItemHash>>>;

  /** @throws RangeError where `secret` has fewer than 16 characters. */
  static check(secret: string): void {
    if (secret.length >= 16) return;
    throw new RangeError('The secret is too short: give at least 16 characters, better 32 random ones.');
  }

  /** @throws RangeError where `secret` has fewer than 16 characters. */
  constructor(secret: string, namespace: string) {
    ItemHasher.check(secret);
    this.#secret = secret;
    const cacheOf = (kind: HashedKind): HotCache<ItemHash> =>
      new HotCache(HOT_ITEMS, (name) => this.#hash(`${namespace}\0${kind}\0${name}`));
    this.#caches = {
      page: cacheOf('page'),
      item: cacheOf('item'),
      notice: cacheOf('notice'),
      group: cacheOf('group'),
      segment: cacheOf('segment'),
      own: cacheOf('own'),
      event: cacheOf('event'),
      cluster: cacheOf('cluster'),
      rule: cacheOf('rule'),
    };
  }

  /** Hashes an item. */
  of(kind: HashedKind, name: string): ItemHash {
    return this.#caches[kind].of(name);
  }

  /** Hashes many items of one kind. */
  ofAll(kind: HashedKind, names: readonly string[]): ItemHash[] {
    return names.map((name) => this.of(kind, name));
  }

  /** Identifies the secret and does not reveal it: 16 hexadecimal digits. */
  fingerprint(): string {
    return this.#hmac('sessionwise fingerprint').toString('hex').slice(0, 16);
  }

  #hash(text: string): ItemHash {
    const digest = this.#hmac(text);
    return digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11);
  }

  #hmac(text: string): Buffer {
    return createHmac('sha256', this.#secret).update(text).digest();
  }
}
