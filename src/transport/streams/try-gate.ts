/* try-gate.ts: how requests are tried that may have felled a process, over all partitions of an instance.
 *
 * Each try is counted before it is made, and when the process ends, every one that was under way has been counted, the
 * innocent too. So those of which nothing is known are tried some at a time, and what was tried before is tried when
 * they are through, alone: whoever is under way alone when the process ends is no innocent. */

// As many may be accused with a culprit; the more, the sooner a partition goes on after an innocent death.
const SIDE_BY_SIDE = 64;

// One that does not end keeps the others waiting only for so long.
const TURN_MS = 200;

/** Lets suspects through: some side by side, or one alone. */
export class TryGate {
  #sideBySide = 0;
  #isTaken = false;
  #waiting: (() => void)[] = [];

  /** Does `work` when it may be done, `alone` or not. */
  async pass<Result>(alone: boolean, work: () => Promise<Result>): Promise<Result> {
    while (this.#isTaken || this.#sideBySide >= (alone ? 1 : SIDE_BY_SIDE)) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    if (alone) this.#isTaken = true;
    else this.#sideBySide += 1;
    let isThrough = false;
    const leave = (): void => {
      if (isThrough) return;
      isThrough = true;
      if (alone) this.#isTaken = false;
      else this.#sideBySide -= 1;
      for (const go of this.#waiting.splice(0)) go();
    };
    const timer = setTimeout(leave, TURN_MS);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      leave();
    }
  }
}
