/* notice-states.ts: what a subject did with the notices of one list, as a string.
 *
 * Exact, because a false "read" would hide a notice. One byte of flags; where a subject joined late, the time (milliseconds
 * of the epoch, a big-endian double) from which on it sees the list; then, where anything was done, the number of the first
 * notice of which something is known (a big-endian double) and four bits a notice from there on, the first in the upper
 * half of a byte. At most 1,000 of them, the size of a list: the oldest are forgotten. Up to 64 bytes Redis keeps the lists
 * of a subject in one packed piece: 94 notices.
 *
 * A list's numbers begin at the microsecond of its making, so they would name it: to each is added an offset that only the
 * service can compute, another one for each subject and list, and of the sum the last 52 bits count. So numbers may begin
 * again at 0 in the midst of a list. */

/** What a subject did with a notice. `unreadAgain`: was read, and marked as unread by the subject: what is merged from
 *  elsewhere does not undo that. `unreadFirst`: the same, but it was never read, so that its reader is counted once. */
export const NOTICE_STATES = { unseen: 0, seen: 1, read: 2, dismissed: 3, unreadAgain: 4, unreadFirst: 5 } as const;
export type NoticeState = (typeof NOTICE_STATES)[keyof typeof NOTICE_STATES];

/** Flags of a list. */
export const LIST_FLAGS = { muted: 1, joinedLate: 2 } as const;

/** How many numbers there are before they begin again at 0. */
export const STATE_NUMBERS: number = 2 ** 52;

const TIME_BYTES = 8;
const FIRST_BYTES = 8;

/** What a subject did with the notices of one list. */
export class NoticeStates {
  readonly #bytes: Buffer;
  readonly #states: number;
  readonly #first: number;

  /** `bytes`: as stored; undefined where nothing was done. */
  constructor(bytes: Buffer | undefined) {
    this.#bytes = bytes ?? Buffer.alloc(1);
    const head = 1 + ((this.#bytes[0]! & LIST_FLAGS.joinedLate) === 0 ? 0 : TIME_BYTES);
    this.#states = head + FIRST_BYTES;
    this.#first = this.#bytes.length > this.#states ? this.#bytes.readDoubleBE(head) : 0;
  }

  get isMuted(): boolean {
    return (this.#bytes[0]! & LIST_FLAGS.muted) !== 0;
  }

  /** From when on the subject sees the list, in milliseconds of the epoch; 0: from the beginning. */
  get joinedAt(): number {
    return (this.#bytes[0]! & LIST_FLAGS.joinedLate) === 0 ? 0 : this.#bytes.readDoubleBE(1);
  }

  /** Whether nothing was done with any notice. */
  get isEmpty(): boolean {
    return this.#bytes.length <= this.#states;
  }

  /** Makes the function that tells what was done with a notice of the list, by its number there. `offset`: by which the
   *  numbers are moved here. */
  inList(offset: number): (sequence: number) => NoticeState {
    if (this.isEmpty) return () => NOTICE_STATES.unseen;
    const shift = (offset - this.#first + STATE_NUMBERS) % STATE_NUMBERS;
    const [bytes, states] = [this.#bytes, this.#states];
    const most = 2 * (bytes.length - states);
    return (sequence) => {
      // Of 100,000 notices at once: no remainder of a division, which costs more than the rest.
      const sum = sequence + shift;
      const at = sum < STATE_NUMBERS ? sum : sum - STATE_NUMBERS;
      if (at >= most) return NOTICE_STATES.unseen;
      const byte = bytes[states + (at >> 1)]!;
      return ((at & 1) === 0 ? byte >> 4 : byte & 15) as NoticeState;
    };
  }

  /** All numbers of which something is known. */
  *entries(): Generator<readonly [number: number, state: NoticeState]> {
    for (let at = 0; at < 2 * (this.#bytes.length - this.#states); at += 1) {
      const byte = this.#bytes[this.#states + (at >> 1)]!;
      const state = ((at & 1) === 0 ? byte >> 4 : byte & 15) as NoticeState;
      if (state !== NOTICE_STATES.unseen) yield [(this.#first + at) % STATE_NUMBERS, state];
    }
  }
}
