import type { DashboardStore } from '../dashboard-store.ts';
import { perStore } from '../per-store.ts';

const MOST = 1_000;
const REMEMBERED_MS = 3_600_000;

/** The user ids by which persons were found in the last hour, in the memory of this process alone: a person's id does not tell
 *  the user's, by which session data are listed. They stand in no page, no URL and no log. */
export class FoundPeople {
  readonly #users = new Map<string, { readonly user: string; readonly until: number }>();

  /** Remembers the user of a person. */
  note(person: string, user: string): void {
    this.#users.delete(person);
    this.#users.set(person, { user, until: Date.now() + REMEMBERED_MS });
    const [oldest] = this.#users.keys();
    if (this.#users.size > MOST && oldest !== undefined) this.#users.delete(oldest);
  }

  /** The user of a person; undefined where nobody asked by the user id in the last hour. */
  userOf(person: string): string | undefined {
    const known = this.#users.get(person);
    if (known && known.until > Date.now()) return known.user;
    this.#users.delete(person);
    return undefined;
  }
}

/** The persons that were found on the dashboard of a store. */
export const foundPeopleOf: (store: DashboardStore) => FoundPeople = perStore(() => new FoundPeople());
