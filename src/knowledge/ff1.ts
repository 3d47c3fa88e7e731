import { type Cipher, createCipheriv } from 'node:crypto';

/* ff1.ts: FF1 of NIST SP 800-38G for strings of 56 bits (radix 2), with AES-256.
 *
 * A permutation of 56-bit numbers for each tweak: what is encrypted for one subject can be decrypted with the secret and
 * encrypted for another, which a hash would not allow. A number is given as its two halves of 28 bits. Ten rounds of one
 * AES block each, all numbers of a call together: one call of the cipher a round, however many numbers there are. One
 * cipher object is kept, because making one costs more than all rounds of a number. */

/** Bits of a half. */
export const HALF_BITS = 28;

const BLOCK = 16;
const ROUNDS = 10;
const HALF_MASK: number = 2 ** HALF_BITS - 1;
/** Bytes behind the tweak and its padding: the round's number and one half. */
const ROUND_BYTES = 5;

/** Encrypts and decrypts numbers of 56 bits under a tweak. */
export class Ff1 {
  readonly #cipher: Cipher;
  // The first block depends on the tweak's length only, and nearly all tweaks have the same.
  readonly #firstBlocks = new Map<number, Buffer>();
  #tweak: string | undefined;
  #lastBlock: Buffer | undefined;

  /** `key`: 32 bytes. */
  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  }

  /** Encrypts numbers in place. `halves`: the first and the last 28 bits of each, in turn. `tweak`: ASCII. */
  encrypt(tweak: string, halves: Uint32Array): void {
    this.#run(tweak, halves, true);
  }

  /** Decrypts numbers in place. `halves`: the first and the last 28 bits of each, in turn. `tweak`: ASCII. */
  decrypt(tweak: string, halves: Uint32Array): void {
    this.#run(tweak, halves, false);
  }

  #run(tweak: string, halves: Uint32Array, encrypts: boolean): void {
    if (halves.length === 0) return;
    const lastBlock = this.#lastBlockOf(tweak);
    const blocks = Buffer.allocUnsafe((halves.length / 2) * BLOCK);
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
  }

  // Most calls are for the subject of the call before.
  #lastBlockOf(tweak: string): Buffer {
    if (this.#lastBlock === undefined || this.#tweak !== tweak) {
      this.#lastBlock = this.#chain(tweak);
      this.#tweak = tweak;
    }
    return this.#lastBlock;
  }

  /** Chains all blocks of a tweak but the last. Returns the last as the cipher gets it, with zeros for the round's number
   *  and the half: so far it is the same for all numbers. */
  #chain(tweak: string): Buffer {
    const padded = Buffer.alloc(Math.ceil((tweak.length + ROUND_BYTES) / BLOCK) * BLOCK);
    padded.write(tweak, 'latin1');
    let block = this.#firstBlock(tweak.length);
    for (let at = 0; ; at += BLOCK) {
      const mixed = padded.subarray(at, at + BLOCK);
      for (let i = 0; i < BLOCK; i += 1) mixed[i]! ^= block[i]!;
      if (at + BLOCK === padded.length) return mixed;
      block = this.#cipher.update(mixed);
    }
  }

  #firstBlock(tweakLength: number): Buffer {
    let encrypted = this.#firstBlocks.get(tweakLength);
    if (!encrypted) {
      const block = Buffer.alloc(BLOCK);
      // Version 1, method 2, addition 1; radix 2; ten rounds; half the length; length; length of the tweak.
      block.set([1, 2, 1, 0, 0, 2, ROUNDS, HALF_BITS, 0, 0, 0, 2 * HALF_BITS]);
      block.writeUInt32BE(tweakLength, 12);
      encrypted = this.#cipher.update(block);
      this.#firstBlocks.set(tweakLength, encrypted);
    }
    return encrypted;
  }
}

// Of each block only the last five bytes differ between rounds and numbers.
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
