import { createToken } from '../../protocol/index.ts';
import type { CommandConnection } from '../../redis/index.ts';
import type { BoundedOperation } from '../connection/bounded-operation.ts';
import type { StoreConnection } from '../connection/store-connection.ts';
import { encryptedWithoutKeys } from '../errors/session-data-error.ts';
import { SessionGoneError } from '../errors/session-gone-error.ts';
import type { LoadedRecord } from '../record/loaded-record.ts';
import { readToken, type TokenCredential } from '../tokens/token-credential.ts';
import { rotateRecord, undoRotation } from './scripts/rotate-record.ts';
import type { SessionRecords } from './session-records.ts';
import { whileOthersChange } from './while-others-change.ts';

type Outcome = Awaited<ReturnType<typeof rotateRecord.runForBuffers>>;

/** Options of a rotation. */
export interface RotationOptions {
  /** Whether the previous secret can read the session as it was before, for `graceMs`. Default false. */
  readonly grace?: boolean | undefined;
  /** Whether no browser has the secret that is replaced, as in a second rotation within one request. Then the one
   *  before it stays the previous secret. Default false. */
  readonly unsent?: boolean | undefined;
}

/** Replaces the secrets of sessions. */
export class SessionRotation {
  readonly #connection: StoreConnection;
  readonly #records: SessionRecords;

  constructor(connection: StoreConnection, records: SessionRecords) {
    this.#connection = connection;
    this.#records = records;
  }

  /** Replaces a session's secret, updates `loaded`, and returns the new token.
   *  @throws StoreUnavailableError, SessionGoneError; SessionDataError where the data are encrypted and the keys
   *  missing. */
  async rotate(
    credential: TokenCredential,
    loaded: LoadedRecord | undefined,
    options: RotationOptions,
  ): Promise<string> {
    const { session } = credential;
    const next = createToken(session);
    const { hash } = readToken(next)!;
    const key = this.#records.keys.record(session);
    const [status, header] = await this.#connection
      .run((redis) => this.#rotate(redis, credential, loaded, options, hash), { key })
      .catch((error: unknown) => {
        // Redis may have done it all the same, and then no browser has a valid secret: undo it when Redis answers.
        this.#connection.afterwards(key, (redis) => this.#undo(redis, credential, hash));
        throw error;
      });
    this.#records.deferredWrites?.moveEventsSoon(session);
    if (status === -2) throw encryptedWithoutKeys(session);
    if (status !== 1 || !header) throw new SessionGoneError('rotate()');
    loaded?.applyWrite(header, [], { secret: hash });
    return next;
  }

  async #rotate(
    redis: BoundedOperation,
    credential: TokenCredential,
    loaded: LoadedRecord | undefined,
    { grace, unsent }: RotationOptions,
    hash: Buffer,
  ): Promise<Outcome> {
    const records = this.#records;
    const { session } = credential;
    const { graceMs, absoluteMs, lifecycleLength, namespace } = records.settings;
    const step = (body: Buffer | '', version: number | ''): Promise<Outcome> =>
      rotateRecord.runForBuffers(redis, records.stepKeys(session), [
        ...[credential.hash, session, hash, graceMs, absoluteMs, lifecycleLength, redis.notAfter(session), namespace],
        ...[grace === true ? 1 : 0, body, version, unsent === true ? 1 : 0],
      ]);
    if (!records.isEncrypting) return step('', '');
    const known = loaded?.isStale ? undefined : loaded;
    const outcome = await whileOthersChange(records, redis, credential, known, async (from) => {
      const result = await step(records.packNext(from, { secret: hash }), from.header.version);
      return result[0] === -1 ? undefined : result;
    });
    return outcome ?? [0];
  }

  async #undo(redis: CommandConnection, { session, hash: before }: TokenCredential, hash: Buffer): Promise<void> {
    const records = this.#records;
    const keys = [records.keys.record(session)];
    const names = [records.settings.namespace, session];
    if (!records.isEncrypting) {
      await undoRotation.run(redis, keys, [before, hash, '', '', ...names]);
      return;
    }
    await whileOthersChange(records, redis, { session, hash }, undefined, async (from) => {
      const body = records.packNext(from, { secret: before });
      const undone = await undoRotation.run(redis, keys, [before, hash, body, from.header.version, ...names]);
      return undone === -1 ? undefined : undone;
    });
  }
}
