/* weighted-semaphore.ts: limits how much runs at once. First come, first served. */

/** Gives units back. */
export type Release = () => void;

/** A semaphore of so many units. While none is taken, one holder may take more than there are. */
export class WeightedSemaphore {
  readonly #size: () => number;
  readonly #holdMs: number;
  #taken = 0;
  readonly #waiting: { readonly units: number; readonly grant: (release: Release) => void }[] = [];
  // Oldest first.
  readonly #holders = new Set<{ readonly units: number; readonly since: number }>();
  #timer: NodeJS.Timeout | undefined;

  /** `size`: how many units there are now. `holdMs`: after so long a holder no longer counts, so that one that waits
   *  for something else does not block the others for ever. */
  constructor(size: () => number, holdMs: number) {
    this.#size = size;
    this.#holdMs = holdMs;
  }

  /** Takes `units` as soon as they are free: at once, or later. */
  acquire(units: number): Release | Promise<Release> {
    if (this.#waiting.length === 0 && this.#fits(units)) return this.#grant(units);
    return new Promise((grant) => {
      this.#waiting.push({ units, grant });
      this.#timer ??= setInterval(() => this.#releaseOverdue(), Math.ceil(this.#holdMs / 4)).unref();
    });
  }

  #fits(units: number): boolean {
    return this.#holders.size === 0 || this.#taken + units <= this.#size();
  }

  #grant(units: number): Release {
    const holder = { units, since: performance.now() };
    this.#holders.add(holder);
    this.#taken += units;
    return () => {
      if (!this.#holders.delete(holder)) return;
      this.#taken -= units;
      this.#grantWaiting();
    };
  }

  #grantWaiting(): void {
    while (this.#waiting.length > 0 && this.#fits(this.#waiting[0]!.units)) {
      const { units, grant } = this.#waiting.shift()!;
      grant(this.#grant(units));
    }
    if (this.#waiting.length > 0 || this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #releaseOverdue(): void {
    const due = performance.now() - this.#holdMs;
    for (const holder of this.#holders) {
      if (holder.since > due) break;
      this.#holders.delete(holder);
      this.#taken -= holder.units;
    }
    this.#grantWaiting();
  }
}
