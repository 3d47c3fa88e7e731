import { PARTITIONS } from '../redis/index.ts';
import type { BoundedOperation } from './connection/bounded-operation.ts';
import type { StoreConnection } from './connection/store-connection.ts';
import type { SessionRecords } from './operations/session-records.ts';
import type { LoadedRecord } from './record/loaded-record.ts';
import { type UserSessions, unlessUnreadable } from './users/user-sessions.ts';

const AT_ONCE = 500;

/** Lists and ends all sessions of a namespace, for tools. It goes through the partitions' indexes in steps, each with a
 *  deadline of its own. */
export class AllSessions {
  readonly #connection: StoreConnection;
  readonly #records: SessionRecords;
  readonly #users: UserSessions;

  constructor(connection: StoreConnection, records: SessionRecords, users: UserSessions) {
    this.#connection = connection;
    this.#records = records;
    this.#users = users;
  }

  /** Loads all sessions that live and can be read. */
  async all(): Promise<LoadedRecord[]> {
    const living: LoadedRecord[] = [];
    for await (const batch of this.#batches()) {
      const loaded = await this.#connection.run(
        (redis) => Promise.all(batch.sessions.map((session) => this.#records.tryLoad(redis, session))),
        { key: batch.due, reads: true },
      );
      for (const session of loaded) if (session) living.push(session);
    }
    return living;
  }

  /** Ends all sessions, and deletes records that cannot be read. */
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

  // By member and not by position, so that sessions that end meanwhile do not shift the others.
  async *#batches(): AsyncGenerator<{ readonly due: string; readonly sessions: string[] }> {
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const due = this.#records.keys.due(partition);
      const read = (redis: BoundedOperation): Promise<string[]> => redis.command('ZRANGE', due, '0', '-1');
      const sessions = await this.#connection.run(read, { key: due, reads: true });
      for (let i = 0; i < sessions.length; i += AT_ONCE) yield { due, sessions: sessions.slice(i, i + AT_ONCE) };
    }
  }
}
