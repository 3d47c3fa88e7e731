/* try-gate.ts: how requests are tried that may have felled a process, over all partitions of an instance.
 *
 * Each try is counted before it is made, and when the process ends, every one that was under way has been counted, the
 * innocent too. So the more often one was tried, the fewer are tried beside it: at first as many as there are, then some,
 * the last time none. Whoever is under way alone when the process ends is no innocent. */

const ROOM = 1_024;
const ROOM_BY_TRIES = [1, ROOM / 32, ROOM];

// One that does not end keeps the others waiting only for so long.
const TURN_MS = 200;

/** Lets suspects through, in the order in which they come. */
export class TryGate {
  #left = ROOM;
  readonly #waiting: { readonly room: number; readonly enter: () => void }[] = [];

  /** Does `work` when there is room for one that was tried so often before. */
  async pass<Result>(tries: number, work: () => Promise<Result>): Promise<Result> {
    const room = ROOM_BY_TRIES[tries] ?? ROOM;
    await new Promise<void>((enter) => {
      this.#waiting.push({ room, enter });
      this.#letIn();
    });
    let isThrough = false;
    const leave = (): void => {
      if (isThrough) return;
      isThrough = true;
      this.#left += room;
      this.#letIn();
    };
    const timer = setTimeout(leave, TURN_MS);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  #letIn(): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.room <= this.#left) {
      const { room, enter } = this.#waiting.shift()!;
      this.#left -= room;
      enter();
    }
  }
}
