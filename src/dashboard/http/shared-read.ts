import { withDeadline } from '../../async/index.ts';
import type { DashboardStore } from '../dashboard-store.ts';
import { sentenceOf } from '../sentence-of.ts';
import type { DashboardView } from '../view.ts';

/** What a read came to: the data as JSON, or why there are none. */
export type Told = { readonly json: string } | { readonly trouble: string };

const DEADLINE_MS = 5_000;

/** Reads one view with one query again and again, for all pages that follow it: three open pages cost one read. */
export class SharedRead {
  readonly view: DashboardView;
  readonly #query: URLSearchParams;
  readonly #open: () => Promise<DashboardStore>;
  readonly #listeners = new Set<(told: Told) => void>();
  #last: Told | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #isAgainDue = false;

  constructor(view: DashboardView, query: URLSearchParams, open: () => Promise<DashboardStore>) {
    this.view = view;
    this.#query = query;
    this.#open = open;
  }

  get isFollowed(): boolean {
    return this.#listeners.size > 0;
  }

  /** Tells a listener what was read last, and whatever differs from then on. Returns how to stop it. */
  follow(listener: (told: Told) => void): () => void {
    this.#listeners.add(listener);
    if (this.#last) listener(this.#last);
    if (this.#listeners.size === 1) this.readNow();
    return () => {
      this.#listeners.delete(listener);
      if (!this.isFollowed) clearTimeout(this.#timer);
    };
  }

  /** Reads at once, or, where a read is under way, once more behind it. */
  readNow(): void {
    clearTimeout(this.#timer);
    if (this.#reading) this.#isAgainDue = true;
    else this.#reading = this.#read();
  }

  /** What is there now, for one who does not follow. */
  async once(): Promise<Told> {
    return this.#tell((await this.#begin()).told);
  }

  async #read(): Promise<void> {
    const startedAt = performance.now();
    const { told, settled } = await this.#begin();
    this.#tell(told);
    // One that is late still burdens Redis: the next begins behind it.
    await settled;
    this.#reading = undefined;
    if (!this.isFollowed) return;
    const waitMs = this.#isAgainDue ? 0 : Math.max(0, this.view.everyMs - (performance.now() - startedAt));
    this.#isAgainDue = false;
    this.#timer = setTimeout(() => this.readNow(), waitMs).unref();
  }

  async #begin(): Promise<{ told: Told; settled: Promise<unknown> }> {
    const work = this.#open().then((store) => this.view.read(store, this.#query));
    const settled = work.catch(() => undefined);
    try {
      const data = await withDeadline(
        work,
        DEADLINE_MS,
        () => {
          throw new Error(`Redis did not answer within ${DEADLINE_MS / 1_000} seconds; trying again.`);
        },
        { keepsAlive: false },
      );
      return { told: { json: JSON.stringify(data) }, settled };
    } catch (error) {
      return { told: { trouble: sentenceOf(error) }, settled };
    }
  }

  #tell(told: Told): Told {
    const isSame = JSON.stringify(told) === JSON.stringify(this.#last);
    this.#last = told;
    if (!isSame) for (const listener of this.#listeners) listener(told);
    return told;
  }
}
