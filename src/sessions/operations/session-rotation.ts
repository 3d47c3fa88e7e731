import { createToken } from '../../protocol/index.ts';
import type { CommandConnection } from '../../redis/index.ts';
import type { BoundedOperation } from '../connection/bounded-operation.ts';
import type { StoreConnection } from '../connection/store-connection.ts';
import { SessionGoneError, sealedByOthers } from '../errors.ts';
import type { LoadedSession } from '../record/loaded-session.ts';
import { readToken, type TokenProof } from '../tokens/token-credential.ts';
import { rotateRecord, undoRotation } from './scripts/rotate-record.ts';
import type { SessionRecords } from './session-records.ts';
import { whileOthersChange } from './while-others-change.ts';

type Outcome = Awaited<ReturnType<typeof rotateRecord.runForBuffers>>;

/** How a session is rotated. */
export interface RotationOptions {
  /** Whether the previous secret reads for `graceMs` what was there before. Default false. */
  readonly grace?: boolean | undefined;
  /** Whether the secret that is replaced was given to the session a moment ago and has reached nobody, as in a second
   *  rotation within one request. Then the one before it stays the previous secret. Default false. */
  readonly unsent?: boolean | undefined;
}

/** Gives sessions other secrets. */
export class SessionRotation {
  readonly #connection: StoreConnection;
  readonly #records: SessionRecords;

  constructor(connection: StoreConnection, records: SessionRecords) {
    this.#connection = connection;
    this.#records = records;
  }

  /** The token with the new secret, and `loaded` brought up to date.
   *  @throws StoreUnavailableError, SessionGoneError; SessionDataError where the data are sealed and the keys not here. */
  async rotate(proof: TokenProof, loaded: LoadedSession | undefined, options: RotationOptions): Promise<string> {
    const { session } = proof;
    const next = createToken(session);
    const { hash } = readToken(next)!;
    const key = this.#records.keys.record(session);
    const [status, header] = await this.#connection
      .run((redis) => this.#rotate(redis, proof, loaded, options, hash), { key })
      .catch((error: unknown) => {
        // It may have been done all the same, and then nobody has a secret that counts.
        this.#connection.runWhenUp(key, (redis) => this.#undo(redis, proof, hash));
        throw error;
      });
    this.#records.cluster?.told(session);
    if (status === -2) throw sealedByOthers(session);
    if (status !== 1 || !header) throw new SessionGoneError('rotate()');
    loaded?.follow(header, [], { secret: hash });
    return next;
  }

  async #rotate(
    redis: BoundedOperation,
    proof: TokenProof,
    loaded: LoadedSession | undefined,
    { grace, unsent }: RotationOptions,
    hash: Buffer,
  ): Promise<Outcome> {
    const records = this.#records;
    const { session } = proof;
    const { graceMs, absoluteMs, lifecycleLength, namespace } = records.settings;
    const step = (body: Buffer | '', version: number | ''): Promise<Outcome> =>
      rotateRecord.runForBuffers(redis, records.stepKeys(session), [
        ...[proof.hash, session, hash, graceMs, absoluteMs, lifecycleLength, redis.notAfter(session), namespace],
        ...[grace === true ? 1 : 0, body, version, unsent === true ? 1 : 0],
      ]);
    if (!records.isSealing) return step('', '');
    const known = loaded?.overtaken ? undefined : loaded;
    const outcome = await whileOthersChange(records, redis, proof, known, async (from) => {
      const result = await step(records.sealAnew(from, { secret: hash }), from.facts.version);
      return result[0] === -1 ? undefined : result;
    });
    return outcome ?? [0];
  }

  async #undo(redis: CommandConnection, { session, hash: before }: TokenProof, hash: Buffer): Promise<void> {
    const records = this.#records;
    const keys = [records.keys.record(session)];
    const names = [records.settings.namespace, session];
    if (!records.isSealing) {
      await undoRotation.run(redis, keys, [before, hash, '', '', ...names]);
      return;
    }
    await whileOthersChange(records, redis, { session, hash }, undefined, async (from) => {
      const body = records.sealAnew(from, { secret: before });
      const undone = await undoRotation.run(redis, keys, [before, hash, body, from.facts.version, ...names]);
      return undone === -1 ? undefined : undone;
    });
  }
}
