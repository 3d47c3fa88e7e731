import { isWriting, MAX_PARTS, MAX_PAYLOAD_BYTES } from '../../protocol/index.ts';
import { EventLoopTurn } from './event-loop-turn.ts';
import { type Release, WeightedSemaphore } from './weighted-semaphore.ts';

/* admission.ts: how much an instance serves at once, whatever transport brought it.
 *
 * Redis does one script after another. A thousand page views that were sent at once keep it busy for some 20 ms. A mark of
 * 1,000 items alone takes up to 40 ms, and all other requests wait behind it, each of their commands again. So marks of
 * many items have units of their own, of which one or two take all. */

// A page view has one unit, a mark of 1,000 short items 50.
const UNIT_BYTES = 256;
const LARGE_UNITS = 4;
const UNITS = 1_024;
const UNITS_FOR_LARGE = 8;
// Redis has nothing to do while an answer travels: as many more as it could do meanwhile.
const LARGE_PER_MS = 8;
const MOST_MS = 10;
// A request that is served for longer waits for something else than Redis, and no longer counts.
const HOLD_MS = 200;
const NOTHING_TO_RELEASE: Release = () => {};

/** Lets requests in while units are free, each when the event loop's turn has time for it. */
export class Admission {
  readonly #units = new WeightedSemaphore(() => UNITS, HOLD_MS);
  readonly #large: WeightedSemaphore;
  readonly #turn = new EventLoopTurn();

  /** `roundTripMs`: how long Redis takes to answer when it has nothing else to do. Default 0. */
  constructor(roundTripMs: () => number = () => 0) {
    this.#large = new WeightedSemaphore(
      () => UNITS_FOR_LARGE + LARGE_PER_MS * Math.min(roundTripMs(), MOST_MS),
      HOLD_MS,
    );
  }

  /** Admits a request, at once or later. Returns the function that releases its units. `bytes`: the approximate size of
   *  its payload; `parts`: how many requests it holds. A `together` takes the units of its parts: it marks nothing, and so
   *  is never one of the large ones. */
  enter(command: string, bytes: number, parts = 1): Release | Promise<Release> {
    // Needs no units: the command refuses such a payload at once.
    if (bytes > MAX_PAYLOAD_BYTES) return NOTHING_TO_RELEASE;
    const units = parts + bytes / UNIT_BYTES;
    const isLarge = units > LARGE_UNITS && isWriting(command);
    const acquired = (isLarge ? this.#large : this.#units).acquire(units);
    if (acquired instanceof Promise) return acquired.then((release) => this.#inTurn(release));
    const next = this.#turn.take();
    return next === undefined ? acquired : next.then(() => this.#inTurn(acquired));
  }

  async #inTurn(release: Release): Promise<Release> {
    for (let next = this.#turn.take(); next; next = this.#turn.take()) await next;
    return release;
  }
}

/** How many parts the payload of a `together` has, at most. Looks for what stands between two parts, without parsing: a text
 *  that looks the same counts too, and costs its sender a unit. */
export function partsAtMost(payload: string): number {
  let parts = 1;
  const between = /\]\s*,\s*\[/g;
  while (parts < MAX_PARTS && between.test(payload)) parts += 1;
  return parts;
}
