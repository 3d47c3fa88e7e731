import { createToken } from '../protocol/index.ts';
import type { LoadedSession } from './loaded-session.ts';
import { rotateRecord, undoRotation } from './scripts/rotate-record.ts';
import type { SessionRecords } from './session-records.ts';
import type { StoreConnection } from './store-connection.ts';
import { SessionGoneError } from './store-errors.ts';
import { readToken, type TokenProof } from './token-proof.ts';

/** Gives sessions other secrets. */
export class SessionRotation {
  readonly #connection: StoreConnection;
  readonly #records: SessionRecords;

  constructor(connection: StoreConnection, records: SessionRecords) {
    this.#connection = connection;
    this.#records = records;
  }

  /** The token with the new secret, and `loaded` brought up to date; undefined where the proof is of a previous secret.
   *  @throws StoreUnavailableError, SessionGoneError */
  async rotate({ session, hash: before }: TokenProof, loaded: LoadedSession | undefined): Promise<string | undefined> {
    const next = createToken(session);
    const { hash } = readToken(next)!;
    const { graceMs, absoluteMs, lifecycleLength } = this.#records.settings;
    const key = this.#records.keys.record(session);
    const [status, header] = await this.#connection
      .run(
        (redis) =>
          rotateRecord.runForBuffers(redis, this.#records.stepKeys(session), [
            ...[before, session, hash, graceMs, absoluteMs, lifecycleLength, redis.notAfter(session)],
          ]),
        { key },
      )
      .catch((error: unknown) => {
        // It may have been done all the same, and then the only secret that anybody has would end with its grace.
        this.#connection.afterwards(key, (redis) => undoRotation.run(redis, [key], [before, hash]));
        throw error;
      });
    this.#records.cluster?.told(session);
    if (status === 0) throw new SessionGoneError('rotate()');
    if (!header) return undefined;
    loaded?.follow(header);
    return next;
  }
}
