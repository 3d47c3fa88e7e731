import { type Cipher, createCipheriv } from 'node:crypto';

/* ff1.ts: FF1 of NIST SP 800-38G for strings of 56 bits (radix 2), with AES-256.
 *
 * A permutation of 56-bit numbers for each tweak: what is encrypted for one subject can be decrypted with the secret and
 * encrypted for another, which a hash would not allow. Ten rounds of one AES block each, all items of a call together:
 * one call of the cipher a round, whatever the number of items. One cipher object is kept, because making one costs more
 * than all rounds of an item. */

/** Bytes of an item. */
export const ITEM_BYTES = 7;

const BLOCK = 16;
const ROUNDS = 10;
const HALF_MASK = 0x0f_ff_ff_ff;
/** Bytes behind the tweak and its padding: the round's number and one half. */
const ROUND_BYTES = 5;

/** Encrypts and decrypts items of 56 bits under a tweak. */
export class Ff1 {
  readonly #cipher: Cipher;
  #tweak: string | undefined;
  #lastBlock: Buffer | undefined;

  /** `key`: 32 bytes. */
  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  }

  /** Encrypts items, 7 bytes each, one behind the other. */
  encrypt(tweak: string, items: Uint8Array): Buffer {
    return this.#run(tweak, items, true);
  }

  /** Decrypts items, 7 bytes each, one behind the other. */
  decrypt(tweak: string, items: Uint8Array): Buffer {
    return this.#run(tweak, items, false);
  }

  #run(tweak: string, items: Uint8Array, encrypts: boolean): Buffer {
    const count = items.length / ITEM_BYTES;
    if (!Number.isInteger(count)) throw new RangeError(`An item has ${ITEM_BYTES} bytes.`);
    const lastBlock = this.#lastBlockOf(tweak);
    const halves = readHalves(items, count);
    const blocks = Buffer.allocUnsafe(count * BLOCK);
    for (let at = 0; at < blocks.length; at += BLOCK) blocks.set(lastBlock, at);
    for (let step = 0; step < ROUNDS; step += 1) {
      const round = encrypts ? step : ROUNDS - 1 - step;
      // Each half in turn is the one that the other is added to.
      const into = round % 2;
      fillBlocks(blocks, lastBlock, round, halves, 1 - into);
      const sums = this.#cipher.update(blocks);
      for (let at = 0, half = into; at < blocks.length; at += BLOCK, half += 2) {
        // The sum is a number of 8 bytes, of which only the last 28 bits count.
        const sum = (sums[at + 4]! << 24) | (sums[at + 5]! << 16) | (sums[at + 6]! << 8) | sums[at + 7]!;
        halves[half] = (encrypts ? halves[half]! + sum : halves[half]! - sum) & HALF_MASK;
      }
    }
    return writeHalves(halves, count);
  }

  // Most calls are for the subject of the call before.
  #lastBlockOf(tweak: string): Buffer {
    if (this.#lastBlock === undefined || this.#tweak !== tweak) {
      this.#lastBlock = this.#chain(Buffer.from(tweak, 'latin1'));
      this.#tweak = tweak;
    }
    return this.#lastBlock;
  }

  /** Chains all blocks of a tweak but the last. Returns the last as the cipher gets it, with zeros for the round's number
   *  and the half: so far it is the same for all items. */
  #chain(tweak: Buffer): Buffer {
    const padded = Math.ceil((tweak.length + ROUND_BYTES) / BLOCK) * BLOCK;
    const message = Buffer.alloc(BLOCK + padded);
    // Version 1, method 2, addition 1; radix 2; ten rounds; half the length; length; length of the tweak.
    message.set([1, 2, 1, 0, 0, 2, ROUNDS, 28, 0, 0, 0, 56]);
    message.writeUInt32BE(tweak.length, 12);
    message.set(tweak, BLOCK);
    let block = message.subarray(0, BLOCK);
    for (let at = BLOCK; at < message.length; at += BLOCK) {
      block = this.#cipher.update(block);
      for (let i = 0; i < BLOCK; i += 1) block[i]! ^= message[at + i]!;
    }
    return block;
  }
}

// Of each block only the last five bytes differ between rounds and items.
function fillBlocks(blocks: Buffer, lastBlock: Buffer, round: number, halves: Uint32Array, from: number): void {
  const number = lastBlock[11]! ^ round;
  const rest = lastBlock.readUInt32BE(12);
  for (let at = 0, half = from; at < blocks.length; at += BLOCK, half += 2) {
    const value = rest ^ halves[half]!;
    blocks[at + 11] = number;
    blocks[at + 12] = value >>> 24;
    blocks[at + 13] = value >>> 16;
    blocks[at + 14] = value >>> 8;
    blocks[at + 15] = value;
  }
}

/** The first and the last 28 bits of each item, in turn. */
function readHalves(items: Uint8Array, count: number): Uint32Array {
  const halves = new Uint32Array(2 * count);
  for (let i = 0; i < count; i += 1) {
    const at = i * ITEM_BYTES;
    const middle = items[at + 3]!;
    halves[2 * i] = (items[at]! << 20) | (items[at + 1]! << 12) | (items[at + 2]! << 4) | (middle >>> 4);
    halves[2 * i + 1] = ((middle & 15) << 24) | (items[at + 4]! << 16) | (items[at + 5]! << 8) | items[at + 6]!;
  }
  return halves;
}

function writeHalves(halves: Uint32Array, count: number): Buffer {
  const items = Buffer.allocUnsafe(count * ITEM_BYTES);
  for (let i = 0; i < count; i += 1) {
    const [first, second] = [halves[2 * i]!, halves[2 * i + 1]!];
    const at = i * ITEM_BYTES;
    items[at] = first >>> 20;
    items[at + 1] = first >>> 12;
    items[at + 2] = first >>> 4;
    items[at + 3] = (first << 4) | (second >>> 24);
    items[at + 4] = second >>> 16;
    items[at + 5] = second >>> 8;
    items[at + 6] = second;
  }
  return items;
}
