import type { StoreConnection } from '../connection/store-connection.ts';
import { SessionGoneError } from '../errors/session-gone-error.ts';
import { SessionLimitError } from '../errors/session-limit-error.ts';
import { TooManySessionsError } from '../errors/too-many-sessions-error.ts';
import type { SessionRecords } from '../operations/session-records.ts';
import type { LoadedRecord } from '../record/loaded-record.ts';
import type { ResolvedReference } from '../tokens/session-reference.ts';
import type { UserSessionListing } from './user-session-listing.ts';
import type { UserSessions } from './user-sessions.ts';

/** Gives sessions to users, however many sessions have to end for it. */
export class UserLogins {
  readonly #connection: StoreConnection;
  readonly #records: SessionRecords;
  readonly #users: UserSessions;
  readonly #pages: UserSessionListing;

  constructor(connection: StoreConnection, records: SessionRecords, users: UserSessions, pages: UserSessionListing) {
    this.#connection = connection;
    this.#records = records;
    this.#users = users;
    this.#pages = pages;
  }

  /** Gives a session to a user; returns the sessions that were ended for it. More than one step ends are ended in steps
   *  first, each with a deadline of its own.
   *  @throws StoreUnavailableError, SessionGoneError, SessionLimitError; RangeError for what is no user id. */
  async identify(
    reference: ResolvedReference,
    userId: string,
    device: string | undefined,
    loaded: LoadedRecord | undefined,
  ): Promise<string[]> {
    const ended: string[] = [];
    for (;;) {
      try {
        const last = await this.#identify(reference, userId, device, loaded);
        await Promise.all(last.map((session) => this.#dropCopy(session)));
        return [...ended, ...last];
      } catch (error) {
        if (!(error instanceof TooManySessionsError)) throw error;
        const more = await this.#pages.endOldest(userId, error.limit);
        // None could be ended, so the surplus consists of records that cannot be read: another try would not help.
        if (more.length === 0) throw new SessionLimitError(error.limit);
        ended.push(...more);
      }
    }
  }

  // What ended with the login had a copy for connect-redis.
  async #dropCopy(session: string): Promise<void> {
    const { mirror, keys } = this.#records;
    if (mirror) await this.#connection.run((redis) => mirror.drop(redis, session), { key: keys.record(session) });
  }

  #identify(
    reference: ResolvedReference,
    userId: string,
    device: string | undefined,
    loaded: LoadedRecord | undefined,
  ): Promise<string[]> {
    return this.#connection.run(
      async (redis) => {
        const session = loaded ?? (await this.#records.load(redis, reference));
        if (!session) throw new SessionGoneError('identify()');
        return this.#records.write(redis, reference, () =>
          this.#users.identify(redis, reference, session, userId, device),
        );
      },
      { key: this.#records.keys.record(reference.session) },
    );
  }
}
