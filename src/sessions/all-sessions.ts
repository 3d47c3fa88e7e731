import { PARTITIONS } from '../redis/index.ts';
import type { BoundedOperation } from './connection/bounded-operation.ts';
import type { StoreConnection } from './connection/store-connection.ts';
import type { SessionRecords } from './operations/session-records.ts';
import type { LoadedSession } from './record/loaded-session.ts';
import { type UserSessions, unlessUnreadable } from './users/user-sessions.ts';

const AT_ONCE = 500;

/** All sessions of a namespace, for tools: it goes through the partitions' indexes, and each of its steps has a deadline
 *  of its own. */
export class SessionCensus {
  readonly #connection: StoreConnection;
  readonly #records: SessionRecords;
  readonly #users: UserSessions;

  constructor(connection: StoreConnection, records: SessionRecords, users: UserSessions) {
    this.#connection = connection;
    this.#records = records;
    this.#users = users;
  }

  /** Those that live and can be read. */
  async all(): Promise<LoadedSession[]> {
    const living: LoadedSession[] = [];
    for await (const batch of this.#batches()) {
      const loaded = await this.#connection.run(
        (redis) => Promise.all(batch.sessions.map((session) => this.#records.tryLoad(redis, session))),
        { key: batch.due, reads: true },
      );
      for (const session of loaded) if (session) living.push(session);
    }
    return living;
  }

  /** Ends all of them, and forgets those that cannot be read. */
  async clear(): Promise<void> {
    for await (const batch of this.#batches()) {
      await this.#connection.run((redis) => Promise.all(batch.sessions.map((session) => this.#clear(redis, session))), {
        key: batch.due,
      });
    }
  }

  async #clear(redis: BoundedOperation, session: string): Promise<void> {
    try {
      await this.#users.endRecord(redis, { session, hash: undefined }, 'cleared');
    } catch (error) {
      unlessUnreadable(error);
      await this.#records.discard(redis, session);
    }
  }

  // By members and not by position, so that what is ended on the way shifts nothing.
  async *#batches(): AsyncGenerator<{ readonly due: string; readonly sessions: string[] }> {
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const due = this.#records.keys.due(partition);
      const read = (redis: BoundedOperation): Promise<string[]> => redis.command('ZRANGE', due, '0', '-1');
      const sessions = await this.#connection.run(read, { key: due, reads: true });
      for (let i = 0; i < sessions.length; i += AT_ONCE) yield { due, sessions: sessions.slice(i, i + AT_ONCE) };
    }
  }
}
