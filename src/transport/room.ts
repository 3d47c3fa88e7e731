/* room.ts: how much may be under way at once. First come, first served. */

/** Gives the units of an occupant back. */
export type Leave = () => void;

/** A room of so many units. If it is empty, one occupant may take more than there are. */
export class Room {
  readonly #size: () => number;
  readonly #holdMs: number;
  #taken = 0;
  readonly #waiting: { readonly units: number; readonly enter: (leave: Leave) => void }[] = [];
  // In the order in which they came in: the first has been there longest.
  readonly #inside = new Set<{ readonly units: number; readonly since: number }>();
  #timer: NodeJS.Timeout | undefined;

  /** `size`: how many units there are now. `holdMs`: after so long an occupant no longer counts, so that one that waits
   *  for something else does not keep the others out for ever. */
  constructor(size: () => number, holdMs: number) {
    this.#size = size;
    this.#holdMs = holdMs;
  }

  /** Comes in when there is room for `units`: at once, or later. */
  enter(units: number): Leave | Promise<Leave> {
    if (this.#waiting.length === 0 && this.#fits(units)) return this.#let(units);
    return new Promise((enter) => {
      this.#waiting.push({ units, enter });
      this.#timer ??= setInterval(() => this.#release(), Math.ceil(this.#holdMs / 4)).unref();
    });
  }

  #fits(units: number): boolean {
    return this.#inside.size === 0 || this.#taken + units <= this.#size();
  }

  #let(units: number): Leave {
    const occupant = { units, since: performance.now() };
    this.#inside.add(occupant);
    this.#taken += units;
    return () => {
      if (!this.#inside.delete(occupant)) return;
      this.#taken -= units;
      this.#letIn();
    };
  }

  #letIn(): void {
    while (this.#waiting.length > 0 && this.#fits(this.#waiting[0]!.units)) {
      const { units, enter } = this.#waiting.shift()!;
      enter(this.#let(units));
    }
    if (this.#waiting.length > 0 || this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #release(): void {
    const due = performance.now() - this.#holdMs;
    for (const occupant of this.#inside) {
      if (occupant.since > due) break;
      this.#inside.delete(occupant);
      this.#taken -= occupant.units;
    }
    this.#letIn();
  }
}
