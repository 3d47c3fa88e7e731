import type { BoundedOperation } from './connection/bounded-operation.ts';
import type { StoreConnection } from './connection/store-connection.ts';
import type { ConnectRedis } from './mirror/connect-redis.ts';
import type { FoundRecord, SessionRecords } from './operations/session-records.ts';
import type { LoadedSession } from './record/loaded-session.ts';
import { resolveReference } from './tokens/session-reference.ts';
import { readToken } from './tokens/token-credential.ts';

/** Gets a session that was found, or why it could not be read. */
type Settle = (error: Error | undefined, found?: LoadedSession | 'replaced' | undefined) => void;

/** Finds sessions, by a token or by their public id. */
export class SessionLookup {
  readonly #connection: StoreConnection;
  readonly #records: SessionRecords;
  readonly #connectRedis: ConnectRedis | undefined;

  constructor(connection: StoreConnection, records: SessionRecords, connectRedis: ConnectRedis | undefined) {
    this.#connection = connection;
    this.#records = records;
    this.#connectRedis = connectRedis;
  }

  /** Finds a session by a token; see `SessionData.findThen`. */
  findThen(token: string, settle: Settle): void {
    const credential = readToken(token);
    if (!credential) {
      queueMicrotask(() => settle(undefined));
      return;
    }
    const records = this.#records;
    const { session } = credential;
    const { takeOver, reads } = this.#connectRedis ?? {};
    if (reads) {
      const key = records.keys.record(session);
      const find = (redis: BoundedOperation): Promise<FoundRecord> => reads.find(redis, credential);
      this.#connection.ask<FoundRecord, FoundRecord>(find, (found) => found, { key, reads: true }, settle);
      return;
    }
    this.#connection.ask<Buffer | null, LoadedSession | 'replaced' | undefined>(
      (redis) => records.fetch(redis, session),
      (record, redis) => {
        const found = records.read(redis, credential, record);
        if (!takeOver) return found;
        return Promise.resolve(found).then((there) => there ?? takeOver.take(redis, credential));
      },
      { key: records.keys.record(session), reads: true },
      settle,
    );
  }

  /** Whether a token's secret is the current one of a living session.
   *  @throws StoreUnavailableError */
  async isCurrent(token: string): Promise<boolean> {
    const credential = readToken(token);
    if (!credential) return false;
    return this.#read(credential.session, (redis) => this.#records.isCurrent(redis, credential));
  }

  /** Whether a session lives and can be read.
   *  @throws StoreUnavailableError; RangeError for what is no session's id. */
  async isLiving(session: string): Promise<boolean> {
    resolveReference({ session });
    return this.#read(session, async (redis) => (await this.#records.tryLoad(redis, session)) !== undefined);
  }

  /** Returns the user of a session; undefined where it has ended or belongs to no user.
   *  @throws StoreUnavailableError; SessionDataError; RangeError for what is no session's id. */
  async userOf(session: string): Promise<string | undefined> {
    const resolved = resolveReference({ session });
    const loaded = await this.#read(session, (redis) => this.#records.load(redis, resolved));
    return loaded?.userId;
  }

  #read<Result>(session: string, work: (redis: BoundedOperation) => Promise<Result>): Promise<Result> {
    return this.#connection.run(work, { key: this.#records.keys.record(session), reads: true });
  }
}
