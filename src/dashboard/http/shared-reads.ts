import type { DashboardStore } from '../dashboard-store.ts';
import type { DashboardView } from '../view.ts';
import { SharedRead, type Told } from './shared-read.ts';

/** The reads that open pages follow, one for each view and query. */
export class SharedReads {
  readonly #open: () => Promise<DashboardStore>;
  readonly #reads = new Map<string, SharedRead>();

  constructor(open: () => Promise<DashboardStore>) {
    this.#open = open;
  }

  /** Follows a view; returns how to stop. */
  follow(view: DashboardView, query: URLSearchParams, listener: (told: Told) => void): () => void {
    const key = keyOf(view, query);
    const read = this.#reads.get(key) ?? new SharedRead(view, query, this.#open);
    this.#reads.set(key, read);
    const stop = read.follow(listener);
    return () => {
      stop();
      if (!read.isFollowed) this.#reads.delete(key);
    };
  }

  /** Reads a view once. */
  once(view: DashboardView, query: URLSearchParams): Promise<Told> {
    return (this.#reads.get(keyOf(view, query)) ?? new SharedRead(view, query, this.#open)).once();
  }

  /** Reads what pages follow of a view at once: something was changed. */
  readNow(view: DashboardView): void {
    for (const read of this.#reads.values()) if (read.view === view) read.readNow();
  }
}

function keyOf({ name }: DashboardView, query: URLSearchParams): string {
  const sorted = new URLSearchParams(query);
  sorted.sort();
  return `${name}?${sorted}`;
}
