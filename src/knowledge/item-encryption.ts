import { hkdfSync } from 'node:crypto';
import { Ff1, type Ff1Job, HALF_BITS } from './ff1.ts';
import type { ItemHash } from './item-hash.ts';

/* item-encryption.ts: what Redis holds in place of an item: its hash, encrypted for one subject (FF1, the subject as tweak,
 * the key from secret and namespace). The same item has another form in each subject and in each namespace, so knowing
 * what one subject has seen says nothing about another.
 *
 * The form has 56 bits, written as 8 characters of 7 bits: text of ASCII travels to Redis without a Buffer.
 *
 * All that one turn of the event loop asks for is encrypted together: the messages that were read at once, and all parts
 * of one message. Ten calls of the cipher serve one item as well as a hundred. */

/** Characters of an encrypted item. */
export const ITEM_LENGTH = 8;

const HALF = 2 ** HALF_BITS;

/** Encrypts item hashes for their subject, and decrypts them. */
export class ItemEncryption {
  readonly #ff1: Ff1;
  #jobs: Ff1Job[] = [];
  #done: Promise<void> | undefined;

  constructor(secret: string, namespace: string) {
    this.#ff1 = new Ff1(new Uint8Array(hkdfSync('sha256', secret, namespace, 'sessionwise items', 32)));
  }

  /** Encrypts hashes for a subject: 8 characters each. */
  async encrypt(subject: string, hashes: readonly ItemHash[]): Promise<string[]> {
    const halves = new Uint32Array(2 * hashes.length);
    for (let i = 0; i < hashes.length; i += 1) {
      const hash = hashes[i]!;
      halves[2 * i] = hash / HALF;
      halves[2 * i + 1] = hash % HALF;
    }
    await this.#run({ tweak: subject, halves, encrypts: true });
    const items: string[] = [];
    for (let half = 0; half < halves.length; half += 2) items.push(textOf(halves[half]!, halves[half + 1]!));
    return items;
  }

  /** Decrypts all items of a subject that stand in `bytes`, 8 bytes each. */
  async decrypt(subject: string, bytes: Uint8Array): Promise<ItemHash[]> {
    const halves = new Uint32Array((2 * bytes.length) / ITEM_LENGTH);
    for (let half = 0, at = 0; half < halves.length; half += 1, at += 4) {
      halves[half] = (bytes[at]! << 21) | (bytes[at + 1]! << 14) | (bytes[at + 2]! << 7) | bytes[at + 3]!;
    }
    await this.#run({ tweak: subject, halves, encrypts: false });
    const hashes: ItemHash[] = [];
    for (let half = 0; half < halves.length; half += 2) hashes.push(halves[half]! * HALF + halves[half + 1]!);
    return hashes;
  }

  #run(job: Ff1Job): Promise<void> {
    this.#jobs.push(job);
    this.#done ??= Promise.resolve().then(() => {
      const jobs = this.#jobs;
      this.#jobs = [];
      this.#done = undefined;
      this.#ff1.run(jobs);
    });
    return this.#done;
  }
}

function textOf(first: number, last: number): string {
  return String.fromCharCode(
    first >>> 21,
    (first >>> 14) & 127,
    (first >>> 7) & 127,
    first & 127,
    last >>> 21,
    (last >>> 14) & 127,
    (last >>> 7) & 127,
    last & 127,
  );
}
