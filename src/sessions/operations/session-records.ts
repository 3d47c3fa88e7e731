import { SerialQueue } from '../../async/index.ts';
import { type CommandConnection, type Keys, partitionOf } from '../../redis/index.ts';
import {
  type DeferredIndexWrites,
  deferredIndexWritesOf,
  deploymentOf,
  stepKeys,
} from '../cluster/deferred-index-writes.ts';
import type { BoundedOperation } from '../connection/bounded-operation.ts';
import type { StoreConnection } from '../connection/store-connection.ts';
import { isWrongType } from '../errors/redis-errors.ts';
import { encryptedWithoutKeys, SessionDataError } from '../errors/session-data-error.ts';
import { type ExpiryOptions, ExpiryPolicy } from '../expiry/expiry-policy.ts';
import type { SessionDataOptions, SessionDataSettings } from '../options.ts';
import { applyChanges, type FieldChange } from '../record/field-changes.ts';
import { LoadedRecord } from '../record/loaded-record.ts';
import { packBody, readable, readBody } from '../record/record-body.ts';
import { type EncryptionContext, RecordEncryption } from '../record/record-encryption.ts';
import { isEnded, type RecordHeader, readHeader, SHORT_HEADER, secretIn } from '../record/record-header.ts';
import type { SessionFields } from '../record/session-fields.ts';
import type { ResolvedReference } from '../tokens/session-reference.ts';
import { sameHash, type TokenCredential } from '../tokens/token-credential.ts';
import type { MirrorWrites } from './mirror-writes.ts';
import { RecordSaver } from './record-saver.ts';
import { touchRecord } from './scripts/touch-record.ts';
import { whileOthersChange } from './while-others-change.ts';

/** A session; `replaced` where the token's secret was replaced and no copy is kept for it; undefined: none. */
export type FoundRecord = LoadedRecord | 'replaced' | undefined;

/** Reads, saves and touches the records of one namespace, each in one step. Callers give every method a deadline. */
export class SessionRecords {
  readonly keys: Keys;
  readonly settings: SessionDataSettings;
  /** Undefined outside a Cluster. */
  readonly deferredWrites: DeferredIndexWrites | undefined;
  readonly #encryption: RecordEncryption | undefined;
  readonly #saver: RecordSaver = new RecordSaver(this);
  /** Changes of encrypted fields, by session: one at a time in this process, because Redis cannot merge them. */
  readonly changeQueue: SerialQueue = new SerialQueue();
  readonly expiryPolicy: ExpiryPolicy;
  /** Copies what is written for another program; undefined: nobody else reads the sessions. */
  mirror: MirrorWrites | undefined;

  /** @throws RangeError for invalid encryption keys. */
  constructor(
    connection: StoreConnection,
    keys: Keys,
    settings: SessionDataSettings,
    encryption: SessionDataOptions['encryption'],
  ) {
    this.expiryPolicy = new ExpiryPolicy(connection, keys, settings);
    this.settings = settings;
    this.keys = keys;
    this.deferredWrites = deferredIndexWritesOf(connection.redis, keys, settings.lifecycleLength);
    this.#encryption =
      encryption && new RecordEncryption(encryption.keys, settings.namespace, encryption.acceptPlain === true);
  }

  /** Whether this store encrypts what it writes. */
  get isEncrypting(): boolean {
    return this.#encryption !== undefined;
  }

  /** Reads a session by its current secret. Undefined: no such session, or the secret is wrong.
   *  @throws SessionDataError where the stored data cannot be read. */
  async load(redis: CommandConnection, reference: ResolvedReference): Promise<LoadedRecord | undefined> {
    const found = await this.find(redis, reference);
    return found === 'replaced' || found?.byPreviousSecret ? undefined : found;
  }

  /** Reads a session by its current or its previous secret. For the previous one: the session as it was before the
   *  rotation, while the grace lasts; without a grace `replaced`, while the rotation is remembered.
   *  @throws SessionDataError where the stored data cannot be read. */
  async find(redis: CommandConnection, reference: ResolvedReference): Promise<FoundRecord> {
    return this.read(redis, reference, await this.fetch(redis, reference.session));
  }

  /** Fetches a session's record, for `read`. */
  fetch(redis: CommandConnection, session: string): Promise<Buffer | null> {
    return redis.commandForBuffers<Buffer | null>('GET', this.keys.record(session));
  }

  /** Reads a fetched record as `find` does: at once where the record alone tells the result, which it mostly does.
   *  @throws SessionDataError where the stored data cannot be read. */
  read(
    redis: CommandConnection,
    { session, hash }: ResolvedReference,
    record: Buffer | null,
  ): FoundRecord | Promise<FoundRecord> {
    if (record === null) return undefined;
    const header = readable(session, () => readHeader(record));
    if (header.ended) return undefined;
    const { previous } = header;
    const isCurrent = hash === undefined || sameHash(hash, header.secret);
    if (!isCurrent && (!previous || !sameHash(hash, previous.secret))) return undefined;
    const livesOn = this.expiryPolicy.livesOn({ session, header });
    if (isCurrent && livesOn) return this.#load(session, record, header, false);
    return (async () => {
      if (!livesOn && (await this.expiryPolicy.isOver(redis, session, header))) return undefined;
      if (isCurrent) return this.#load(session, record, header, false);
      return this.#findBefore(redis, session, hash, previous!.until);
    })();
  }

  /** Reads a session by its previous secret, which is remembered until `until`. */
  async #findBefore(redis: CommandConnection, session: string, hash: Buffer, until: number): Promise<FoundRecord> {
    const before = await redis.commandForBuffers<Buffer | null>('GET', this.keys.recordBefore(session));
    if (before) {
      const header = readable(session, () => readHeader(before));
      if (sameHash(hash, header.secret)) return this.#load(session, before, header, true);
    }
    return this.expiryPolicy.now(session) < until ? 'replaced' : undefined;
  }

  #load(session: string, record: Buffer, header: RecordHeader, byPreviousSecret: boolean): LoadedRecord {
    const fields = readBody(this.#encryption, session, record, header);
    return new LoadedRecord(session, record.subarray(0, header.length), fields, byPreviousSecret, header);
  }

  /** Reads a session of a list, without its token. Undefined: no such session, or its data cannot be read. */
  async tryLoad(redis: CommandConnection, session: string): Promise<LoadedRecord | undefined> {
    try {
      return await this.load(redis, { session, hash: undefined });
    } catch (error) {
      if (error instanceof SessionDataError || isWrongType(error)) return undefined;
      throw error;
    }
  }

  /** Deletes a record that cannot be read, and its entry of the expiry index. */
  async discard(redis: CommandConnection, session: string): Promise<void> {
    await Promise.all([
      redis.command('UNLINK', this.keys.record(session)),
      redis.command('ZREM', this.keys.due(partitionOf(session)), session),
    ]);
  }

  /** Whether a secret is the session's current one. Reads only the header's first bytes. */
  async isCurrent(redis: CommandConnection, { session, hash }: TokenCredential): Promise<boolean> {
    const start = await redis.commandForBuffers<Buffer>(
      'GETRANGE',
      this.keys.record(session),
      '0',
      String(SHORT_HEADER - 1),
    );
    if (start.length < SHORT_HEADER) return false;
    return !isEnded(start) && sameHash(hash, secretIn(start));
  }

  /** Saves fields of a session that was not loaded. An existing session is replaced (`put`) or left alone (`make`).
   *  Undefined: nothing was written, because the session has ended, the secret is wrong, or (`make`) it exists. */
  async put(
    redis: CommandConnection,
    { session, hash }: TokenCredential,
    fields: SessionFields,
    expiry: ExpiryOptions,
    mode: 'put' | 'make' = 'put',
  ): Promise<LoadedRecord | undefined> {
    const { status, header } = await this.#saver.save(redis, { session, hash, fields, expiry, mode });
    if (header) return new LoadedRecord(session, header, fields, false);
    // There is one, and its user and version were not known here.
    const there = status === 'conflict' && (await this.load(redis, { session, hash }));
    if (!there) return undefined;
    const changes = there.changesTo(fields, false);
    return (await this.change(redis, { session, hash }, there, changes, expiry)) ? there : undefined;
  }

  /** Applies changes to a loaded session and updates `loaded`. False: nothing was written, because the session has
   *  ended or the secret was replaced. */
  change(
    redis: CommandConnection,
    reference: ResolvedReference,
    loaded: LoadedRecord,
    changes: readonly FieldChange[],
    expiry: ExpiryOptions | undefined,
  ): Promise<boolean> {
    return this.#encryption
      ? this.#changeEncrypted(redis, reference, loaded, changes, expiry)
      : this.#changePlain(redis, reference, loaded, changes, expiry);
  }

  /** Moves a session's end. False where it has ended, or the secret is wrong. */
  async touch(
    redis: CommandConnection,
    { session, hash }: ResolvedReference,
    loaded: LoadedRecord | undefined,
    expiry: ExpiryOptions,
  ): Promise<boolean> {
    const { namespace, absoluteMs } = this.settings;
    const args = { secretHash: hash ?? '', session, absoluteMs, namespace, ...expiry } as const;
    const header = await touchRecord
      .for(deploymentOf(this.deferredWrites))
      .run(redis, { record: this.keys.record(session) }, args);
    if (!header) return false;
    this.deferredWrites?.renewed(session, readHeader(header), loaded?.header.expiresAt);
    loaded?.applyWrite(header);
    return true;
  }

  /** Does `work`, which writes a session, and copies the session where there is a mirror. */
  write<Result>(redis: BoundedOperation, reference: ResolvedReference, work: () => Promise<Result>): Promise<Result> {
    return this.mirror ? this.mirror.along(redis, reference, work) : work();
  }

  /** Packs fields for a record, encrypted where this store encrypts. */
  packFields(owner: EncryptionContext, fields: SessionFields): Buffer {
    return packBody(this.#encryption, owner, fields);
  }

  /** Packs a session's fields for its next version, with another secret or user where given. */
  packNext(
    { session, header, fields: all }: LoadedRecord,
    next: { readonly secret?: Buffer; readonly user?: string; readonly fields?: SessionFields },
  ): Buffer {
    const { secret = header.secret, user = header.user, fields = all } = next;
    return this.packFields({ session, secret, user, version: (header.version + 1) >>> 0 }, fields);
  }

  /** Applies changes to encrypted fields if the record still has the version of `loaded`, and updates `loaded`. False
   *  where the version is another, or the session has ended. */
  async replaceEncrypted(
    redis: CommandConnection,
    { session, hash }: ResolvedReference,
    loaded: LoadedRecord,
    changes: readonly FieldChange[],
  ): Promise<boolean> {
    const fields = applyChanges(loaded.fields, changes);
    const { header } = await this.#saver.save(redis, { session, hash, loaded, fields });
    if (!header) return false;
    loaded.applyWrite(header, changes);
    return true;
  }

  #changePlain(
    redis: CommandConnection,
    { session, hash }: ResolvedReference,
    loaded: LoadedRecord,
    changes: readonly FieldChange[],
    expiry: ExpiryOptions | undefined,
  ): Promise<boolean> {
    const fields = applyChanges(loaded.fields, changes);
    return this.#saver.save(redis, { session, hash, loaded, fields, changes, expiry }).then(({ status, header }) => {
      if (status === 'sealed') throw encryptedWithoutKeys(session);
      if (!header) return false;
      loaded.applyWrite(header, changes);
      return true;
    });
  }

  async #changeEncrypted(
    redis: CommandConnection,
    reference: ResolvedReference,
    loaded: LoadedRecord,
    changes: readonly FieldChange[],
    expiry: ExpiryOptions | undefined,
  ): Promise<boolean> {
    const { session, hash } = reference;
    const saved = await whileOthersChange(this, redis, reference, loaded, async (from) => {
      const fields = applyChanges(from.fields, changes);
      const { status, header } = await this.#saver.save(redis, { session, hash, loaded: from, fields, expiry });
      if (header) loaded.applyWrite(header, changes);
      return header ? true : status === 'conflict' ? undefined : false;
    });
    return saved === true;
  }

  /** The keys of a step that changes more of a session than its record. */
  stepKeys(session: string): ReturnType<typeof stepKeys> {
    return stepKeys(deploymentOf(this.deferredWrites), this.keys, session);
  }
}
