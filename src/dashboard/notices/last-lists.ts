import type { DashboardStore } from '../dashboard-store.ts';
import { perStore } from '../per-store.ts';
import type { ListOfNotices } from './notices-data.ts';

const MOST = 20;

/** The groups and segments to which notices were published last. Their names stand sealed in the stream of what happens with
 *  notices, of which about 10,000 entries are kept; each is opened once. */
class LastLists {
  readonly #store: DashboardStore;
  #last: string | undefined;
  #lists: readonly ListOfNotices[] = [];
  #reading: Promise<void> | undefined;

  constructor(store: DashboardStore) {
    this.#store = store;
  }

  /** The newest first, at most 20. */
  async read(): Promise<readonly ListOfNotices[]> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
    return this.#lists;
  }

  async #read(): Promise<void> {
    const { events } = this.#store.namespace.knowledge.notices;
    const { lists, last } = await events.listsSince(this.#last);
    this.#last = last;
    const fresh = [...lists].reverse();
    const names = fresh.map((each) => JSON.stringify(each));
    this.#lists = [...fresh, ...this.#lists.filter((each) => !names.includes(JSON.stringify(each)))].slice(0, MOST);
  }
}

const listsOf = perStore((store) => new LastLists(store));

/** Reads the lists to which notices were published last, the newest first. */
export function readLastLists(store: DashboardStore): Promise<readonly ListOfNotices[]> {
  return listsOf(store).read();
}
