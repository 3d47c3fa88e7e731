const WINDOW_MS = 60_000;
const MOST_OF_ADDRESS = 5;
const MOST = 50;

/** Limits wrong tokens: 5 a minute from an address, 50 from all. */
export class TryLimit {
  readonly #now: () => number;
  /** When wrong ones came and from where, the oldest first. */
  #tries: { readonly address: string; readonly at: number }[] = [];

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** For how many seconds an address may not try; 0: it may now. */
  waitSeconds(address: string): number {
    const since = this.#now() - WINDOW_MS;
    this.#tries = this.#tries.filter(({ at }) => at > since);
    const own = this.#tries.filter((each) => each.address === address);
    const oldest = own.length >= MOST_OF_ADDRESS ? own[own.length - MOST_OF_ADDRESS] : undefined;
    const oldestOfAll = this.#tries.length >= MOST ? this.#tries[0] : undefined;
    const blocking = [oldest, oldestOfAll].filter((each) => each !== undefined);
    return Math.max(0, ...blocking.map(({ at }) => Math.ceil((at - since) / 1_000)));
  }

  /** Counts a wrong token. */
  count(address: string): void {
    this.#tries.push({ address, at: this.#now() });
  }
}
