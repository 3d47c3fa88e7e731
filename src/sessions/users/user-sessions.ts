import { type LoginReservation, LoginReservations } from '../cluster/login-reservations.ts';
import type { BoundedOperation } from '../connection/bounded-operation.ts';
import { isOtherFormat, isWrongType } from '../errors/redis-errors.ts';
import { encryptedWithoutKeys, SessionDataError } from '../errors/session-data-error.ts';
import { SessionGoneError } from '../errors/session-gone-error.ts';
import { SessionLimitError } from '../errors/session-limit-error.ts';
import { TooManySessionsError } from '../errors/too-many-sessions-error.ts';
import type { SessionRecords } from '../operations/session-records.ts';
import { type FieldChange, listChanges } from '../record/field-changes.ts';
import type { LoadedRecord } from '../record/loaded-record.ts';
import { packTexts } from '../record/packed-texts.ts';
import { readHeader, STALE_VERSION } from '../record/record-header.ts';
import { DEVICE_FIELD, type SessionFields, USER_FIELD } from '../record/session-fields.ts';
import type { ResolvedReference } from '../tokens/session-reference.ts';
import { userReference } from '../tokens/user-reference.ts';
import { endRecord } from './scripts/end-record.ts';
import { identifyRecord } from './scripts/identify-record.ts';

/** One of a user's sessions, for a page "your devices". */
export interface UserSession {
  /** The public id: safe to show, and the argument of `endSession`. */
  readonly session: string;
  /** The device as `identify` was given it: "Firefox on Linux". */
  readonly device: string | undefined;
  /** When it was first saved, in milliseconds of the epoch. */
  readonly firstSeenAt: number;
  /** When it was last written or renewed, at most `touchEveryMs` before the last request. */
  readonly lastSeenAt: number;
  /** When it ends unless it is used. */
  readonly expiresAt: number;
}

/** Why a session was ended; stands in its lifecycle event. */
export type EndReason = 'destroyed' | 'by-user' | 'limit' | 'cleared';

/** Assigns sessions to users. A session's record names its user; the user's index lists candidates, and may be
 *  stale. */
export class UserSessions {
  readonly #records: SessionRecords;
  /** Undefined outside a Cluster. */
  readonly #reservations: LoginReservations | undefined;

  constructor(records: SessionRecords) {
    this.#records = records;
    const { deferredWrites, keys, settings } = records;
    this.#reservations =
      deferredWrites &&
      new LoginReservations(keys, deferredWrites.index, settings, (redis, session, user) =>
        this.endRecord(redis, { session, hash: undefined }, 'limit', { user }).catch(unlessUnreadable),
      );
  }

  /** Gives a loaded session to a user. Returns the sessions that were ended for it.
   *  @throws SessionLimitError, SessionGoneError; RangeError for what is no user id; TooManySessionsError where more
   *  have to end than one step ends. */
  async identify(
    redis: BoundedOperation,
    reference: ResolvedReference,
    loaded: LoadedRecord,
    userId: string,
    device: string | undefined,
  ): Promise<string[]> {
    const user = userReference(userId);
    const own: SessionFields = new Map([[USER_FIELD, JSON.stringify(userId)]]);
    if (device !== undefined) own.set(DEVICE_FIELD, JSON.stringify(String(device).slice(0, 200)));
    const identify = (): Promise<string[]> => this.#identify(redis, reference, loaded, user, own);
    return this.#records.isEncrypting ? this.#records.changeQueue.run(reference.session, identify) : identify();
  }

  /** Ends a session. `user`: only if it belongs to this user. `forestall`: a session that does not exist yet cannot be
   *  made afterwards. Returns whether it lived until now. */
  async endRecord(
    redis: BoundedOperation,
    { session, hash }: ResolvedReference,
    reason: EndReason,
    { user = '', forestall = false }: { readonly user?: string; readonly forestall?: boolean } = {},
  ): Promise<boolean> {
    const { absoluteMs, namespace, lifecycleLength } = this.#records.settings;
    const notAfter = redis.notAfter(session);
    const ending = endRecord.for(redis).run(redis, this.#records.stepKeys(session), {
      secretHash: hash ?? '',
      session,
      absoluteMs,
      namespace,
      lifecycleLength,
      reason,
      user,
      notAfter,
      isForestalled: forestall,
    });
    // Behind it in the same round trip; its failure is one of the end, because the session would live on there.
    const [{ status }] = await Promise.all([ending, this.#records.mirror?.drop(redis, session)]);
    if (status === 'done') this.#records.deferredWrites?.moveEventsSoon(session);
    return status === 'done';
  }

  async #identify(
    redis: BoundedOperation,
    reference: ResolvedReference,
    loaded: LoadedRecord,
    user: string,
    own: SessionFields,
    reserved?: LoginReservation,
  ): Promise<string[]> {
    const { settings, deferredWrites } = this.#records;
    const { session } = reference;
    const { user: userBefore, expiresAt } = loaded.header;
    // In a Cluster the reservation comes first: a session whose record says a user must not be missing in the user's index.
    const needsReservation = reserved === undefined && userBefore !== user;
    const reservation = needsReservation
      ? await this.#reservations?.reserve(redis, user, session, expiresAt)
      : reserved;
    const { status, values } = await this.#runIdentify(redis, reference, loaded, user, own, reservation);
    const [header, ...ended] = values;
    if (status === 'conflict' || status === 'notReserved') {
      const latest = await this.#records.load(redis, reference);
      if (!latest && reservation) deferredWrites?.released(user, session, reservation.score);
      if (!latest) throw new SessionGoneError('identify()');
      const result = await this.#identify(redis, reference, latest, user, own, reservation);
      loaded.applyWrite(latest.headerBytes, changesOf(own), { user });
      return result;
    }
    if (status === 'limitReached') throw new SessionLimitError(settings.maxSessionsPerUser);
    if (status === 'tooManyToEnd') throw new TooManySessionsError(settings.maxSessionsPerUser);
    if (!header && reservation) deferredWrites?.released(user, session, reservation.score);
    if (status === 'sealed') throw encryptedWithoutKeys(session);
    if (!header) throw new SessionGoneError('identify()');
    deferredWrites?.confirmed(user, session, readHeader(header).expiresAt, reservation?.score);
    deferredWrites?.moveEventsSoon(session);
    loaded.applyWrite(header, changesOf(own), { user });
    return [...(reservation?.ended ?? []), ...ended.map((member) => member.toString())];
  }

  #runIdentify(
    redis: BoundedOperation,
    { session, hash }: ResolvedReference,
    loaded: LoadedRecord,
    user: string,
    own: SessionFields,
    reservation: LoginReservation | undefined,
  ): Promise<Awaited<ReturnType<ReturnType<typeof identifyRecord.for>['run']>>> {
    const { settings, isEncrypting } = this.#records;
    const fields = new Map([...loaded.fields, ...own]);
    return identifyRecord.for(redis).run(redis, this.#records.stepKeys(session), {
      secretHash: hash ?? '',
      session,
      user,
      absoluteMs: settings.absoluteMs,
      version: loaded.isStale ? STALE_VERSION : loaded.header.version,
      fields: this.#records.packNext(loaded, { user, fields }),
      isSealed: isEncrypting,
      changes: isEncrypting ? '' : packTexts(listChanges(changesOf(own))),
      namespace: settings.namespace,
      lifecycleLength: settings.lifecycleLength,
      maxSessions: settings.maxSessionsPerUser,
      onLimit: settings.onSessionLimit,
      hasReservation: reservation !== undefined,
      notAfter: redis.notAfter(session),
    });
  }
}

/** False for an error that says that a record cannot be read: it cannot be shown to be this user's.
 *  @throws any other error. */
export function unlessUnreadable(error: unknown): false {
  if (error instanceof SessionDataError || isWrongType(error) || isOtherFormat(error)) return false;
  throw error;
}

function changesOf(fields: SessionFields): FieldChange[] {
  return [...fields].map(([name, set]) => ({ name, set }));
}

/** Describes a session for a user's list. */
export function describeSession({ session, fields, header }: LoadedRecord): UserSession {
  const device = fields.get(DEVICE_FIELD);
  return {
    session,
    device: device === undefined ? undefined : (JSON.parse(device) as string),
    firstSeenAt: header.createdAt,
    lastSeenAt: header.lastSeenAt,
    expiresAt: header.expiresAt,
  };
}
