import { isSession } from '../protocol/index.ts';
import type { BoundedOperation } from './connection/bounded-operation.ts';
import type { StoreConnection } from './connection/store-connection.ts';
import type { ConnectRedisImport } from './mirror/connect-redis-import.ts';
import type { SessionRecords } from './operations/session-records.ts';
import { resolveReference, type SessionReference } from './tokens/session-reference.ts';
import { readToken } from './tokens/token-credential.ts';
import { userReference } from './tokens/user-reference.ts';
import type { EndReason, UserSessions } from './users/user-sessions.ts';

/** Ends single sessions for good. */
export class SessionEnding {
  readonly #connection: StoreConnection;
  readonly #records: SessionRecords;
  readonly #users: UserSessions;
  readonly #takeOver: ConnectRedisImport | undefined;

  /** `takeOver`: takes sessions over from connect-redis, where the store does. */
  constructor(
    connection: StoreConnection,
    records: SessionRecords,
    users: UserSessions,
    takeOver: ConnectRedisImport | undefined,
  ) {
    this.#connection = connection;
    this.#records = records;
    this.#users = users;
    this.#takeOver = takeOver;
  }

  /** Ends a session. False where it had ended before.
   *  @throws StoreUnavailableError */
  async end(reference: SessionReference, reason: EndReason): Promise<boolean> {
    const resolved = typeof reference === 'string' ? readToken(reference) : resolveReference(reference);
    if (!resolved) return false;
    return this.#run(resolved.session, async (redis) => {
      const forestall = typeof reference === 'string' && (await this.#takeOver?.forget(redis, reference)) === true;
      const lived = await this.#users.endRecord(redis, resolved, reason, { forestall });
      return lived || forestall;
    });
  }

  /** Ends one of a user's sessions. False where it has ended, or belongs to another user.
   *  @throws StoreUnavailableError */
  async endOf(userId: string, session: string): Promise<boolean> {
    const user = userReference(userId);
    if (typeof session !== 'string' || !isSession(session)) return false;
    return this.#run(session, (redis) =>
      this.#users.endRecord(redis, { session, hash: undefined }, 'by-user', { user }),
    );
  }

  #run<Result>(session: string, work: (redis: BoundedOperation) => Promise<Result>): Promise<Result> {
    return this.#connection.run(work, { key: this.#records.keys.record(session) });
  }
}
