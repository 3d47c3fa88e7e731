import { DiscoverError } from './discover-error.ts';

const MIB = 1024 * 1024;

/** Counts the bytes that a discovery keeps, and refuses those above the limit before they are taken. */
export class MemoryBudget {
  readonly limitBytes: number;
  #takenBytes = 0;
  #mostBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** The most bytes that were taken at once. */
  get mostBytes(): number {
    return this.#mostBytes;
  }

  /** Takes bytes. `advice`: what to do where they are too many, as the end of a sentence.
   *  @throws DiscoverError `DISCOVERY_TOO_LARGE`, and takes nothing then. */
  take(bytes: number, advice: string): void {
    if (this.#takenBytes + bytes > this.limitBytes) {
      throw new DiscoverError(
        'DISCOVERY_TOO_LARGE',
        `This takes more than ${Math.floor(this.limitBytes / MIB)} MiB of memory: ${advice}, or allow more (--max-memory).`,
      );
    }
    this.#takenBytes += bytes;
    this.#mostBytes = Math.max(this.#mostBytes, this.#takenBytes);
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.#takenBytes -= bytes;
  }
}
