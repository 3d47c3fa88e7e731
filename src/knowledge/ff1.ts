import { type Cipher, createCipheriv } from 'node:crypto';
import { HotCache } from './hot-cache.ts';

/* ff1.ts: FF1 of NIST SP 800-38G for strings of 56 bits (radix 2), with AES-256.
 *
 * A permutation of 56-bit numbers for each tweak: what is encrypted for one subject can be decrypted with the secret and
 * encrypted for another, which a hash would not allow. A number is given as its two halves of 28 bits. Ten rounds of one
 * AES block each, all numbers of a call together, whatever their tweaks: one call of the cipher a round, however many
 * numbers there are. One cipher object is kept, because making one costs more than all rounds of a number. */

/** Bits of a half. */
export const HALF_BITS = 28;

const BLOCK = 16;
const ROUNDS = 10;
const HALF_MASK: number = 2 ** HALF_BITS - 1;
/** Bytes behind the tweak and its padding: the round's number and one half. */
const ROUND_BYTES = 5;
const HOT_TWEAKS = 10_000;

/** Numbers to encrypt or to decrypt under one tweak, in place. */
export interface Ff1Job {
  /** ASCII. */
  readonly tweak: string;
  /** The first and the last 28 bits of each number, in turn. */
  readonly halves: Uint32Array;
  readonly encrypts: boolean;
}

/** Encrypts and decrypts numbers of 56 bits under tweaks. */
export class Ff1 {
  readonly #cipher: Cipher;
  // The first block depends on the tweak's length only, and nearly all tweaks have the same.
  readonly #firstBlocks = new Map<number, Buffer>();
  readonly #lastBlocks = new HotCache(HOT_TWEAKS, (tweak) => this.#chain(tweak));

  /** `key`: 32 bytes. */
  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  }

  /** Does jobs, all together. */
  run(jobs: readonly Ff1Job[]): void {
    const count = jobs.reduce((sum, { halves }) => sum + halves.length / 2, 0);
    if (count === 0) return;
    const blocks = Buffer.allocUnsafe(count * BLOCK);
    const lasts = jobs.map(({ tweak }) => this.#lastBlocks.of(tweak));
    let at = 0;
    for (const [i, { halves }] of jobs.entries()) {
      for (const end = at + (halves.length / 2) * BLOCK; at < end; at += BLOCK) blocks.set(lasts[i]!, at);
    }
    for (let step = 0; step < ROUNDS; step += 1) {
      at = 0;
      for (const [i, job] of jobs.entries()) at = fillBlocks(blocks, at, lasts[i]!, step, job);
      const sums = this.#cipher.update(blocks);
      at = 0;
      for (const job of jobs) at = addSums(sums, at, step, job);
    }
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

/** Writes a job's blocks of one step from `at` on. Of each block only the last five bytes differ between rounds and
 *  numbers. Returns the position behind them. */
function fillBlocks(blocks: Buffer, at: number, last: Buffer, step: number, { halves, encrypts }: Ff1Job): number {
  const round = encrypts ? step : ROUNDS - 1 - step;
  const number = last[11]! ^ round;
  const rest = (last[12]! << 24) | (last[13]! << 16) | (last[14]! << 8) | last[15]!;
  let position = at;
  // Each half in turn is the one that the other is added to.
  for (let half = 1 - (round % 2); half < halves.length; half += 2) {
    const value = rest ^ halves[half]!;
    blocks[position + 11] = number;
    blocks[position + 12] = value >>> 24;
    blocks[position + 13] = value >>> 16;
    blocks[position + 14] = value >>> 8;
    blocks[position + 15] = value;
    position += BLOCK;
  }
  return position;
}

/** Adds a job's sums of one step from `at` on to its halves. Returns the position behind them. */
function addSums(sums: Buffer, at: number, step: number, { halves, encrypts }: Ff1Job): number {
  let position = at;
  for (let half = step % 2 === (encrypts ? 0 : 1) ? 0 : 1; half < halves.length; half += 2) {
    // The sum is a number of 8 bytes, of which only the last 28 bits count.
    const sum =
      (sums[position + 4]! << 24) | (sums[position + 5]! << 16) | (sums[position + 6]! << 8) | sums[position + 7]!;
    halves[half] = (encrypts ? halves[half]! + sum : halves[half]! - sum) & HALF_MASK;
    position += BLOCK;
  }
  return position;
}
