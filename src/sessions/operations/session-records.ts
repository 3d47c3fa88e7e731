import { SerialQueue } from '../../async/index.ts';
import { type CommandConnection, type Keys, partitionOf } from '../../redis/index.ts';
import { type ClusterSide, clusterSideOf, deploymentOf, stepKeys } from '../cluster/deferred-index-writes.ts';
import type { StoreConnection } from '../connection/store-connection.ts';
import { isWrongType, SessionDataError, sealedByOthers } from '../errors.ts';
import { type EndTerms, SessionTimes } from '../expiry/expiry-policy.ts';
import type { SessionDataOptions, SessionDataSettings } from '../options.ts';
import {
  applyChanges,
  changesBetween,
  type FieldChange,
  type IntegerDeltas,
  listChanges,
} from '../record/field-changes.ts';
import { LoadedSession } from '../record/loaded-session.ts';
import { packTexts } from '../record/packed-texts.ts';
import { packBody, readable, readBody } from '../record/record-body.ts';
import { Seal, type SealedFor } from '../record/record-encryption.ts';
import { isEnded, nextHeader, type RecordHeader, readHeader, SHORT_HEADER, secretIn } from '../record/record-header.ts';
import type { SessionFields } from '../record/session-fields.ts';
import { sameHash, type TokenProof } from '../tokens/token-credential.ts';
import { replaceRecord } from './scripts/replace-record.ts';
import { packTerms, SAVED, saveRecord } from './scripts/save-record.ts';
import { touchRecord } from './scripts/touch-record.ts';
import { whileOthersChange } from './while-others-change.ts';

/** Who is asked for: a session with the hash of its secret, or without it, by code that may do so. */
export interface SessionAddress {
  readonly session: string;
  /** Undefined: not asked for; the caller knows what it does. */
  readonly hash: Buffer | undefined;
}

/** Records of one namespace: read, saved and touched, each in one step. Every method must run within a deadline. */
export class SessionRecords {
  readonly keys: Keys;
  readonly settings: SessionDataSettings;
  /** Undefined outside a Cluster. */
  readonly cluster: ClusterSide | undefined;
  readonly #seal: Seal | undefined;
  /** Redis cannot change sealed fields; so within this process one after the other changes a session. */
  readonly serialQueue: SerialQueue = new SerialQueue();
  readonly times: SessionTimes;

  /** @throws RangeError for keys that are none. */
  constructor(
    connection: StoreConnection,
    keys: Keys,
    settings: SessionDataSettings,
    encryption: SessionDataOptions['encryption'],
  ) {
    this.times = new SessionTimes(connection, keys, settings);
    this.settings = settings;
    this.keys = keys;
    this.cluster = clusterSideOf(connection.redis, keys, settings.lifecycleLength);
    this.#seal = encryption && new Seal(encryption.keys, settings.namespace, encryption.acceptPlain === true);
  }

  /** Whether what is written now is sealed. */
  get isSealing(): boolean {
    return this.#seal !== undefined;
  }

  /** Reads a session by its current secret; undefined where there is none, or it is another's.
   *  @throws SessionDataError where what is kept cannot be read. */
  async load(redis: CommandConnection, address: SessionAddress): Promise<LoadedSession | undefined> {
    const found = await this.find(redis, address);
    return found === 'replaced' || found?.byPreviousSecret ? undefined : found;
  }

  /** As `load`. For a secret that was replaced by the last rotation: the session as it was before, while the grace of
   *  that rotation lasts; else `replaced`, while that is remembered.
   *  @throws SessionDataError where what is kept cannot be read. */
  async find(
    redis: CommandConnection,
    { session, hash }: SessionAddress,
  ): Promise<LoadedSession | 'replaced' | undefined> {
    const record = await redis.commandForBuffers<Buffer | null>('GET', this.keys.record(session));
    if (record === null) return undefined;
    const header = readable(session, () => readHeader(record));
    if (header.ended) return undefined;
    const { previous } = header;
    const isCurrent = hash === undefined || sameHash(hash, header.secret);
    if (!isCurrent && (!previous || !sameHash(hash, previous.secret))) return undefined;
    if (await this.times.isOver(redis, session, header)) return undefined;
    if (isCurrent) return this.#read(session, record, header, false);
    const before = await redis.commandForBuffers<Buffer | null>('GET', this.keys.recordBefore(session));
    if (before) {
      const its = readable(session, () => readHeader(before));
      if (sameHash(hash, its.secret)) return this.#read(session, before, its, true);
    }
    return this.times.now(session) < previous!.until ? 'replaced' : undefined;
  }

  #read(session: string, record: Buffer, header: RecordHeader, byPreviousSecret: boolean): LoadedSession {
    const fields = readBody(this.#seal, session, record, header);
    return new LoadedSession(session, record.subarray(0, header.length), fields, byPreviousSecret);
  }

  /** Reads a session of a list, without its token; undefined as well where it cannot be read. */
  async tryLoad(redis: CommandConnection, session: string): Promise<LoadedSession | undefined> {
    try {
      return await this.load(redis, { session, hash: undefined });
    } catch (error) {
      if (error instanceof SessionDataError || isWrongType(error)) return undefined;
      throw error;
    }
  }

  /** Forgets what cannot be read. */
  async discard(redis: CommandConnection, session: string): Promise<void> {
    await Promise.all([
      redis.command('UNLINK', this.keys.record(session)),
      redis.command('ZREM', this.keys.due(partitionOf(session)), session),
    ]);
  }

  /** Whether a session's secret is this one now. Reads no more of the record than that. */
  async isCurrent(redis: CommandConnection, { session, hash }: TokenProof): Promise<boolean> {
    const start = await redis.commandForBuffers<Buffer>(
      'GETRANGE',
      this.keys.record(session),
      '0',
      String(SHORT_HEADER - 1),
    );
    if (start.length < SHORT_HEADER) return false;
    return !isEnded(start) && sameHash(hash, secretIn(start));
  }

  /** Saves fields where nothing was loaded: makes the session, or replaces what is there (`put`) or lets it be (`make`).
   *  Undefined where nothing was written: the session has ended, or is another's, or is there. */
  async put(
    redis: CommandConnection,
    { session, hash }: TokenProof,
    fields: SessionFields,
    terms: EndTerms,
    mode: 'put' | 'make' = 'put',
  ): Promise<LoadedSession | undefined> {
    const [status, header] = await this.#save(redis, session, hash, undefined, fields, '', terms, mode);
    if (header) return new LoadedSession(session, header, fields, false);
    // There is one, and its user and version were not known here.
    const there = status === SAVED.conflict && (await this.load(redis, { session, hash }));
    if (!there) return undefined;
    const changes = changesSince(there, fields, false);
    return (await this.change(redis, { session, hash }, there, changes, terms)) ? there : undefined;
  }

  /** Applies changes to a session that was loaded, and brings `loaded` up to date. False where the session has ended,
   *  or its token is no longer the right one: then nothing was written. */
  change(
    redis: CommandConnection,
    address: SessionAddress,
    loaded: LoadedSession,
    changes: readonly FieldChange[],
    terms: EndTerms | undefined,
  ): Promise<boolean> {
    return this.#seal
      ? this.#changeSealed(redis, address, loaded, changes, terms)
      : this.#changeOpen(redis, address, loaded, changes, terms);
  }

  /** Moves a session's end. False where it has ended, or the token is not the right one. */
  async touch(
    redis: CommandConnection,
    { session, hash }: SessionAddress,
    loaded: LoadedSession | undefined,
    terms: EndTerms,
  ): Promise<boolean> {
    const { namespace, absoluteMs } = this.settings;
    const header = await touchRecord
      .for(deploymentOf(this.cluster))
      .runForBuffers(
        redis,
        [this.keys.record(session)],
        [hash ?? '', session, terms.idleMs, terms.touchEveryMs, absoluteMs, terms.cookieExpiresAt, namespace],
      );
    if (!header) return false;
    this.cluster?.renewed(session, readHeader(header), loaded?.facts.expiresAt);
    loaded?.follow(header);
    return true;
  }

  /** Packs, and seals where that is asked for, what is to be written. */
  close(owner: SealedFor, fields: SessionFields): Buffer {
    return packBody(this.#seal, owner, fields);
  }

  /** The fields of a session for its next version, with another secret or user. */
  sealAnew(
    { session, facts, fields: all }: LoadedSession,
    next: { readonly secret?: Buffer; readonly user?: string; readonly fields?: SessionFields },
  ): Buffer {
    const { secret = facts.secret, user = facts.user, fields = all } = next;
    return this.close({ session, secret, user, version: (facts.version + 1) >>> 0 }, fields);
  }

  /** Applies changes to sealed fields if nobody has changed them since `loaded`, and brings that up to date. False where
   *  somebody has, or the session has ended. */
  async replaceSealed(
    redis: CommandConnection,
    { session, hash }: SessionAddress,
    loaded: LoadedSession,
    changes: readonly FieldChange[],
  ): Promise<boolean> {
    const fields = applyChanges(loaded.fields, changes);
    const [, header] = await this.#save(redis, session, hash, loaded, fields, '', undefined);
    if (!header) return false;
    loaded.follow(header, changes);
    return true;
  }

  async #changeOpen(
    redis: CommandConnection,
    { session, hash }: SessionAddress,
    loaded: LoadedSession,
    changes: readonly FieldChange[],
    terms: EndTerms | undefined,
  ): Promise<boolean> {
    const fields = applyChanges(loaded.fields, changes);
    const [status, header] = await this.#save(redis, session, hash, loaded, fields, changes, terms);
    if (status === SAVED.sealed) throw sealedByOthers(session);
    if (!header) return false;
    loaded.follow(header, changes);
    return true;
  }

  async #changeSealed(
    redis: CommandConnection,
    address: SessionAddress,
    loaded: LoadedSession,
    changes: readonly FieldChange[],
    terms: EndTerms | undefined,
  ): Promise<boolean> {
    const { session, hash } = address;
    const saved = await whileOthersChange(this, redis, address, loaded, async (from) => {
      const fields = applyChanges(from.fields, changes);
      const [status, header] = await this.#save(redis, session, hash, from, fields, '', terms);
      if (header) loaded.follow(header, changes);
      return header ? true : status === SAVED.conflict ? undefined : false;
    });
    return saved === true;
  }

  async #save(
    redis: CommandConnection,
    session: string,
    hash: Buffer | undefined,
    loaded: LoadedSession | undefined,
    fields: SessionFields,
    changes: readonly FieldChange[] | '',
    given: EndTerms | undefined,
    mode: 'update' | 'put' | 'make' = 'update',
  ): Promise<[number, Buffer?]> {
    const { absoluteMs, namespace, lifecycleLength } = this.settings;
    const end = given ?? { idleMs: -1, touchEveryMs: 0, cookieExpiresAt: loaded!.facts.cookieExpiresAt };
    const record = this.keys.record(session);
    // A session that begins has version 1.
    const body = loaded
      ? this.sealAnew(loaded, { fields })
      : this.close({ session, secret: hash!, user: undefined, version: 1 }, fields);
    if (loaded && this.#isUntouched(loaded, hash, given)) {
      const next = nextHeader(loaded.header, {
        lastSeenAt: this.times.now(session),
        cookieExpiresAt: end.cookieExpiresAt,
        sealed: this.isSealing,
      });
      const replaced = await replaceRecord.run(redis, [record], [loaded.header, Buffer.concat([next, body])]);
      if (replaced === 1) return [SAVED.whole, next];
    }
    const terms = packTerms({
      hash,
      session,
      mode,
      version: loaded && !loaded.overtaken ? loaded.facts.version : -1,
      sealed: this.isSealing,
      changes: changes && packTexts(listChanges(changes)),
      ...end,
      absoluteMs,
      namespace,
      lifecycleLength,
    });
    const keys = this.cluster && mode === 'update' ? [record] : this.stepKeys(session);
    const [status, header] = await saveRecord.for(deploymentOf(this.cluster)).runForBuffers(redis, keys, [body, terms]);
    if (mode !== 'update') this.cluster?.told(session);
    if (header) this.cluster?.renewed(session, readHeader(header), loaded?.facts.expiresAt);
    return header ? [status, header] : [status];
  }

  /** The keys of a step that changes more of a session than its record. */
  stepKeys(session: string): string[] {
    return stepKeys(deploymentOf(this.cluster), this.keys, session);
  }

  // As far as is known here. With its own secret: whoever saves by another one must be looked at.
  #isUntouched(loaded: LoadedSession, hash: Buffer | undefined, terms: EndTerms | undefined): boolean {
    if (loaded.overtaken || (hash && !sameHash(hash, loaded.facts.secret))) return false;
    return terms ? this.times.isFresh(loaded, terms) : this.times.livesOn(loaded);
  }
}

/** The changes from what was loaded to `fields`. */
export function changesSince(
  loaded: LoadedSession,
  fields: SessionFields,
  integerDeltas: IntegerDeltas,
): FieldChange[] {
  return changesBetween(loaded.fields, fields, { integerDeltas, hidden: loaded.hidden });
}
