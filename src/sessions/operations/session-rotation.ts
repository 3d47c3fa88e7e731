import { createToken } from '../../protocol/index.ts';
import type { CommandConnection } from '../../redis/index.ts';
import type { BoundedOperation } from '../connection/bounded-operation.ts';
import type { StoreConnection } from '../connection/store-connection.ts';
import { encryptedWithoutKeys } from '../errors/session-data-error.ts';
import { SessionGoneError } from '../errors/session-gone-error.ts';
import type { LoadedRecord } from '../record/loaded-record.ts';
import { readToken, type TokenCredential } from '../tokens/token-credential.ts';
import { rotateRecord } from './scripts/rotate-record.ts';
import { undoRotation } from './scripts/undo-rotation.ts';
import type { SessionRecords } from './session-records.ts';
import { whileOthersChange } from './while-others-change.ts';

type Outcome = Awaited<ReturnType<typeof rotateRecord.run>>;

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
    const renewed = readToken(next)!;
    const { hash } = renewed;
    const key = this.#records.keys.record(session);
    const { status, values } = await this.#connection
      .run(
        (redis) => this.#records.write(redis, renewed, () => this.#rotate(redis, credential, loaded, options, hash)),
        { key },
      )
      .catch((error: unknown) => {
        // Redis may have done it all the same, and then no browser has a valid secret: undo it when Redis answers.
        this.#connection.runWhenUp(key, (redis) => this.#undo(redis, credential, hash));
        throw error;
      });
    this.#records.deferredWrites?.moveEventsSoon(session);
    const [header] = values;
    if (status === 'sealed') throw encryptedWithoutKeys(session);
    if (!header) throw new SessionGoneError('rotate()');
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
    const step = (sealedBody: Buffer | '', sealedVersion: number): Promise<Outcome> =>
      rotateRecord.run(redis, records.stepKeys(session), {
        secretHash: credential.hash,
        session,
        newHash: hash,
        graceMs,
        absoluteMs,
        lifecycleLength,
        namespace,
        notAfter: redis.notAfter(session),
        hasGrace: grace === true,
        isUnsent: unsent === true,
        sealedBody,
        sealedVersion,
      });
    if (!records.isEncrypting) return step('', 0);
    const known = loaded?.isStale ? undefined : loaded;
    const outcome = await whileOthersChange(records, redis, credential, known, async (from) => {
      const result = await step(records.packNext(from, { secret: hash }), from.header.version);
      return result.status === 'conflict' ? undefined : result;
    });
    return outcome ?? { status: 'gone', values: [] };
  }

  async #undo(redis: CommandConnection, { session, hash: before }: TokenCredential, hash: Buffer): Promise<void> {
    const records = this.#records;
    const keys = { record: records.keys.record(session) };
    const args = { hashBefore: before, newHash: hash, namespace: records.settings.namespace, session };
    if (!records.isEncrypting) {
      await undoRotation.run(redis, keys, { ...args, sealedBody: '', sealedVersion: 0 });
      return;
    }
    await whileOthersChange(records, redis, { session, hash }, undefined, async (from) => {
      const sealed = { sealedBody: records.packNext(from, { secret: before }), sealedVersion: from.header.version };
      const { status } = await undoRotation.run(redis, keys, { ...args, ...sealed });
      return status === 'conflict' ? undefined : status;
    });
  }
}
