import { SerialQueue } from '../async/index.ts';
import { sessionOf } from '../protocol/index.ts';
import { AttachedMap } from './attached-map.ts';
import type { CurrentSession } from './current-session.ts';

/** State that the objects share which hold one session within a request, one after the other. */
interface Slot {
  /** The object that holds the session now. */
  values: object;
  /** Token that the last rotation in this request gave. Before the answer no other request has it. */
  token?: string;
}

/** Tracks which object and which token a request's session has now, and runs the work on it in order.
 *
 *  A rotation gives a session another token and, in Express, another object. Work that was asked for before that must
 *  go on with the new ones. */
export class RequestSessionQueue {
  readonly #slots = new AttachedMap<Slot>();
  readonly #queue = new SerialQueue();

  /** Makes `to` the object that holds the session of `from`, for work that was asked for before. */
  handOver(from: object, to: object): void {
    const slot = this.#slots.get(from);
    if (!slot) return;
    slot.values = to;
    this.#slots.set(to, slot);
  }

  /** Runs `work` behind the work that was asked for before on the same session of a request, with the object and the
   *  token that the session has by then. */
  inTurn<Result>(asked: CurrentSession, work: (current: CurrentSession) => Promise<Result>): Promise<Result> {
    const slot = this.#slotOf(asked.values);
    return this.#queue.run(slot, () => {
      const { values, token } = slot;
      const isOfAnother = token === undefined || sessionOf(token) !== sessionOf(asked.token);
      return work({ values, token: isOfAnother ? asked.token : token });
    });
  }

  /** Token that the last rotation in this request gave; undefined before the first. */
  rotatedTokenOf(values: object): string | undefined {
    return this.#slots.get(values)?.token;
  }

  /** Notes the token that a rotation gave. */
  setRotatedToken(values: object, token: string): void {
    this.#slotOf(values).token = token;
  }

  #slotOf(values: object): Slot {
    let slot = this.#slots.get(values);
    if (!slot) {
      slot = { values };
      this.#slots.set(values, slot);
    }
    return slot;
  }
}
