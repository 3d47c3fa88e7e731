/** What is held while something is done: names that others may hold too, and names that nobody else may. */
export interface Claim {
  readonly shared?: readonly string[];
  readonly exclusive?: readonly string[];
}

interface Waiting {
  readonly claim: Claim;
  grant(): void;
}

/** Locks by name. All names of a claim are taken at once, in the order in which they were asked for: nobody waits for ever. */
export class KeyedLocks {
  readonly #held = new Set<Claim>();
  #waiting: Waiting[] = [];

  /** Does something while a claim is held. */
  async hold<Result>(claim: Claim, work: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((grant) => {
      this.#waiting.push({ claim, grant });
      this.#grantNext();
    });
    try {
      return await work();
    } finally {
      this.#held.delete(claim);
      this.#grantNext();
    }
  }

  #grantNext(): void {
    const still: Waiting[] = [];
    for (const one of this.#waiting) {
      const before = [...this.#held, ...still.map(({ claim }) => claim)];
      if (before.some((claim) => isContrary(claim, one.claim))) still.push(one);
      else {
        this.#held.add(one.claim);
        one.grant();
      }
    }
    this.#waiting = still;
  }
}

function isContrary(one: Claim, other: Claim): boolean {
  return (
    meets(one.exclusive, [...(other.exclusive ?? []), ...(other.shared ?? [])]) || meets(one.shared, other.exclusive)
  );
}

function meets(names: readonly string[] = [], others: readonly string[] = []): boolean {
  return names.some((name) => others.includes(name));
}
