import type { CommandConnection } from '../../redis/index.ts';
import { deploymentOf } from '../cluster/deferred-index-writes.ts';
import type { ExpiryOptions } from '../expiry/expiry-policy.ts';
import { type FieldChange, listChanges } from '../record/field-changes.ts';
import type { LoadedRecord } from '../record/loaded-record.ts';
import { packTexts } from '../record/packed-texts.ts';
import { nextHeader, readHeader, STALE_VERSION } from '../record/record-header.ts';
import { isPatched, patchBetween } from '../record/record-patch.ts';
import type { SessionFields } from '../record/session-fields.ts';
import type { ResolvedReference } from '../tokens/session-reference.ts';
import { sameHash } from '../tokens/token-credential.ts';
import { patchRecord, spliceArguments } from './scripts/patch-record.ts';
import { replaceRecord } from './scripts/replace-record.ts';
import { END_STAYS, packSaveOptions, type SaveResult, saveRecord } from './scripts/save-record.ts';
import type { SessionRecords } from './session-records.ts';

/** Input of one save. */
export interface SaveStep extends ResolvedReference {
  readonly fields: SessionFields;
  /** As the session was loaded; undefined: it was not. */
  readonly loaded?: LoadedRecord | undefined;
  /** Changes to apply if the record has changed meanwhile; undefined: nothing is saved then. */
  readonly changes?: readonly FieldChange[] | undefined;
  /** Undefined: the session's end stays where it is. */
  readonly expiry?: ExpiryOptions | undefined;
  /** Default `update`. */
  readonly mode?: 'update' | 'put' | 'make';
}

/** Saves fields in one round trip where the session is as it was loaded, in two where it has changed. Of a large session
 *  that is not encrypted only the changed fields are sent. */
export class RecordSaver {
  readonly #records: SessionRecords;

  constructor(records: SessionRecords) {
    this.#records = records;
  }

  /** Result of one save. `conflict`: the session has changed since it was loaded, and `changes` were not given. */
  save(redis: CommandConnection, step: SaveStep): Promise<SaveResult> {
    const { hash, loaded, changes, expiry } = step;
    const sendsChanges = changes !== undefined && loaded !== undefined && isPatched(loaded.fields);
    const body = sendsChanges ? '' : this.#bodyOf(step);
    if (!loaded || !this.#isUntouched(loaded, hash, expiry)) return this.#saveByScript(redis, step, body);
    const next = nextHeader(loaded.headerBytes, {
      lastSeenAt: this.#records.expiryPolicy.now(step.session),
      cookieExpiresAt: (expiry ?? loaded.header).cookieExpiresAt,
      encrypted: this.#records.isEncrypting,
    });
    const saved =
      body === '' ? this.#patch(redis, step, loaded, next) : this.#replace(redis, step.session, loaded, next, body);
    return saved.then(({ status }) =>
      status === 'done' ? { status, header: next } : this.#saveByScript(redis, step, body),
    );
  }

  #bodyOf({ session, hash, loaded, fields }: SaveStep): Buffer {
    // A session that begins has version 1.
    return loaded
      ? this.#records.packNext(loaded, { fields })
      : this.#records.packFields({ session, secret: hash!, user: undefined, version: 1 }, fields);
  }

  #replace(
    redis: CommandConnection,
    session: string,
    { headerBytes }: LoadedRecord,
    next: Buffer,
    body: Buffer,
  ): Promise<{ readonly status: 'done' | 'conflict' }> {
    const args = { loadedHeader: headerBytes, nextRecord: Buffer.concat([next, body]) };
    return replaceRecord.run(redis, { record: this.#records.keys.record(session) }, args);
  }

  #patch(
    redis: CommandConnection,
    { session, fields, changes = [] }: SaveStep,
    { headerBytes, fields: before }: LoadedRecord,
    next: Buffer,
  ): Promise<{ readonly status: 'done' | 'conflict' }> {
    const patch = patchBetween(before, fields, changes);
    return patchRecord.run(
      redis,
      { record: this.#records.keys.record(session) },
      { loadedHeader: headerBytes, nextHeader: next, length: headerBytes.length + patch.length },
      { args: spliceArguments(patch, headerBytes.length) },
    );
  }

  async #saveByScript(
    redis: CommandConnection,
    { session, hash, loaded, changes, expiry, mode = 'update' }: SaveStep,
    body: Buffer | '',
  ): Promise<SaveResult> {
    const { absoluteMs, namespace, lifecycleLength } = this.#records.settings;
    const end = expiry ?? { idleMs: END_STAYS, touchEveryMs: 0, cookieExpiresAt: loaded!.header.cookieExpiresAt };
    const options = packSaveOptions({
      secretHash: hash ?? '',
      session,
      mode,
      version: loaded && !loaded.isStale ? loaded.header.version : STALE_VERSION,
      isSealed: this.#records.isEncrypting,
      changes: changes ? packTexts(listChanges(changes)) : '',
      ...end,
      absoluteMs,
      namespace,
      lifecycleLength,
    });
    const keys =
      this.#records.deferredWrites && mode === 'update'
        ? { record: this.#records.keys.record(session) }
        : this.#records.stepKeys(session);
    const { status, values } = await saveRecord
      .for(deploymentOf(this.#records.deferredWrites))
      .run(redis, keys, { body, options });
    const [header] = values;
    if (mode !== 'update') this.#records.deferredWrites?.moveEventsSoon(session);
    if (header) this.#records.deferredWrites?.renewed(session, readHeader(header), loaded?.header.expiresAt);
    return { status, header };
  }

  // As far as this process knows. A save with another secret than the loaded one must be checked by the script.
  #isUntouched(loaded: LoadedRecord, hash: Buffer | undefined, expiry: ExpiryOptions | undefined): boolean {
    if (loaded.isStale || (hash && !sameHash(hash, loaded.header.secret))) return false;
    return expiry ? this.#records.expiryPolicy.isFresh(loaded, expiry) : this.#records.expiryPolicy.livesOn(loaded);
  }
}
