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

  /** The token with the new secret, and `loaded` brought up to date. `grace`: whether the previous secret reads for a
   *  while what was there until now.
   *  @throws StoreUnavailableError, SessionGoneError */
  async rotate(
    { session, hash: before }: TokenProof,
    loaded: LoadedSession | undefined,
    grace: boolean,
  ): Promise<string> {
    const next = createToken(session);
    const { hash } = readToken(next)!;
    const { graceMs, absoluteMs, lifecycleLength, namespace } = this.#records.settings;
    const key = this.#records.keys.record(session);
    const [status, header] = await this.#connection
      .run(
        (redis) =>
          rotateRecord.runForBuffers(redis, this.#records.stepKeys(session), [
            ...[before, session, hash, graceMs, absoluteMs, lifecycleLength, redis.notAfter(session), namespace],
            grace ? 1 : 0,
          ]),
        { key },
      )
      .catch((error: unknown) => {
        // It may have been done all the same, and then nobody has a secret that counts.
        this.#connection.afterwards(key, (redis) => undoRotation.run(redis, [key], [before, hash]));
        throw error;
      });
    this.#records.cluster?.told(session);
    if (status === 0 || !header) throw new SessionGoneError('rotate()');
    loaded?.follow(header);
    return next;
  }
}
