import { Room } from '../room.ts';

/* try-gate.ts: how requests are tried that may have ended a process, over all partitions of an instance.
 *
 * Each try is marked before it is made, and when the process ends, every one that was under way is marked, the innocent
 * too. So the more marks one has, the fewer are tried beside it: at first as many as there are, then some, the last time
 * none. If the process ends while exactly one is under way, that one caused it. */

const ROOM = 1_024;
const ROOM_BY_TRIES = [1, ROOM / 32, ROOM];

// One that does not end keeps the others waiting only for so long.
const TURN_MS = 200;

/** Lets entries through that were in flight when their owner crashed, in the order in which they come. */
export class TryGate {
  readonly #room = new Room(() => ROOM, TURN_MS);

  /** Does `work` when there is room for one that was tried so often before. */
  async pass<Result>(tries: number, work: () => Promise<Result>): Promise<Result> {
    const leave = await this.#room.enter(ROOM_BY_TRIES[tries] ?? ROOM);
    try {
      return await work();
    } finally {
      leave();
    }
  }
}
