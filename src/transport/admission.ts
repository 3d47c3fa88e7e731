import { EventLoopTurn } from './event-loop-turn.ts';
import { type Leave, Room } from './room.ts';

/* admission.ts: what an instance serves at once, whatever transport brought it.
 *
 * Redis does one script after another. A thousand page views that were sent at once keep it busy for some 20 ms; a thousand
 * marks of a hundred items for seconds, and whoever asks then waits behind them. So requests with large payloads have a
 * room of their own, in which few find a place. */

// About what a script takes: a page view's 20 us are one unit, a mark of 1,000 items has 80.
const UNIT_BYTES = 256;
const LARGE_UNITS = 4;
const ROOM = 1_024;
const ROOM_FOR_LARGE = 32;
// What is served for longer waits for something else than Redis's turn.
const HOLD_MS = 200;

/** Lets requests in as there is room, each when the event loop's turn has time for it. */
export class Admission {
  readonly #room = new Room(ROOM, HOLD_MS);
  readonly #roomForLarge = new Room(ROOM_FOR_LARGE, HOLD_MS);
  readonly #turn = new EventLoopTurn();

  /** Lets a request with such a payload in: at once, or later. What is returned gives its place back. */
  enter(payload: string): Leave | Promise<Leave> {
    const units = 1 + payload.length / UNIT_BYTES;
    const entered = (units > LARGE_UNITS ? this.#roomForLarge : this.#room).enter(units);
    if (entered instanceof Promise) return entered.then((leave) => this.#inTurn(leave));
    const next = this.#turn.take();
    return next === undefined ? entered : next.then(() => this.#inTurn(entered));
  }

  async #inTurn(leave: Leave): Promise<Leave> {
    for (let next = this.#turn.take(); next; next = this.#turn.take()) await next;
    return leave;
  }
}
