interface Waiting {
  readonly cost: number;
  begin(): void;
}

/** Spreads work over turns of the event loop: however much is asked for at once, what else the process has to do waits for
 *  one turn's work only. Whoever came first begins first. */
export class TurnBudget {
  readonly #perTurn: number;
  readonly #waiting: Waiting[] = [];
  #spent = 0;
  #isTurnOver: NodeJS.Immediate | undefined;

  /** `perTurn`: the work of one turn, in the unit in which callers give their costs. */
  constructor(perTurn: number) {
    this.#perTurn = perTurn;
  }

  /** Settles in a turn that has room for work of this cost; work that is larger than a turn's has one for itself. */
  take(cost: number): Promise<void> {
    return new Promise((begin) => {
      this.#waiting.push({ cost, begin });
      this.#begin();
    });
  }

  #begin(): void {
    while (this.#waiting.length > 0 && (this.#spent === 0 || this.#spent + this.#waiting[0]!.cost <= this.#perTurn)) {
      const { cost, begin } = this.#waiting.shift()!;
      this.#spent += cost;
      begin();
    }
    this.#isTurnOver ??= setImmediate(() => {
      this.#isTurnOver = undefined;
      this.#spent = 0;
      if (this.#waiting.length > 0) this.#begin();
    });
  }
}
