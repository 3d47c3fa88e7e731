import { type PlaceClaim, PlaceClaims } from '../cluster/login-reservations.ts';
import type { BoundedOperation } from '../connection/bounded-operation.ts';
import {
  isOtherFormat,
  isWrongType,
  SessionDataError,
  SessionGoneError,
  SessionLimitError,
  sealedByOthers,
} from '../errors.ts';
import type { SessionAddress, SessionRecords } from '../operations/session-records.ts';
import { type FieldChange, listChanges } from '../record/field-changes.ts';
import type { LoadedSession } from '../record/loaded-session.ts';
import { packTexts } from '../record/packed-texts.ts';
import { readHeader } from '../record/record-header.ts';
import { DEVICE_FIELD, type SessionFields, USER_FIELD } from '../record/session-fields.ts';
import { userReference } from '../tokens/user-reference.ts';
import { TooManySessionsError } from '../too-many-sessions-error.ts';
import { endRecord } from './scripts/end-record.ts';
import { identifyRecord } from './scripts/identify-record.ts';

/** One of a user's sessions, as "your devices" lists it. */
export interface UserSession {
  /** The public id; safe to show, and what `endSession` takes. */
  readonly session: string;
  /** What `identify` was told: "Firefox on Linux". */
  readonly device: string | undefined;
  /** When it was first saved, in milliseconds of the epoch. */
  readonly firstSeenAt: number;
  /** When it was last written or renewed; up to `touchEveryMs` behind the last request. */
  readonly lastSeenAt: number;
  /** When it ends unless it is used. */
  readonly expiresAt: number;
}

/** Why a session was ended, as its lifecycle event says. */
export type EndReason = 'destroyed' | 'by-user' | 'limit' | 'cleared';

/** Which sessions are whose. The session says whose it is; the user's index says where to look. */
export class UserSessions {
  readonly #records: SessionRecords;
  /** Undefined outside a Cluster. */
  readonly #claims: PlaceClaims | undefined;

  constructor(records: SessionRecords) {
    this.#records = records;
    const { cluster, keys, settings } = records;
    this.#claims =
      cluster &&
      new PlaceClaims(keys, cluster.index, settings, (redis, session, user) =>
        this.endRecord(redis, { session, hash: undefined }, 'limit', { user }).catch(unlessUnreadable),
      );
  }

  /** Gives a loaded session to a user. Returns the sessions that had to end for it.
   *  @throws SessionLimitError, SessionGoneError; RangeError for what is no user id; TooManySessionsError where more
   *  have to end than one step ends. */
  async identify(
    redis: BoundedOperation,
    address: SessionAddress,
    loaded: LoadedSession,
    userId: string,
    device: string | undefined,
  ): Promise<string[]> {
    const user = userReference(userId);
    const own: SessionFields = new Map([[USER_FIELD, JSON.stringify(userId)]]);
    if (device !== undefined) own.set(DEVICE_FIELD, JSON.stringify(String(device).slice(0, 200)));
    const identify = (): Promise<string[]> => this.#identify(redis, address, loaded, user, own);
    return this.#records.isSealing ? this.#records.serialQueue.run(address.session, identify) : identify();
  }

  /** Ends a session; with `user`, only if it is that user's; with `forestall`, one that is not there cannot come to be
   *  afterwards. Whether it lived until now. */
  async endRecord(
    redis: BoundedOperation,
    { session, hash }: SessionAddress,
    reason: EndReason,
    { user = '', forestall = false }: { readonly user?: string; readonly forestall?: boolean } = {},
  ): Promise<boolean> {
    const { absoluteMs, namespace, lifecycleLength } = this.#records.settings;
    const notAfter = redis.notAfter(session);
    const ended = await endRecord
      .for(redis)
      .run(redis, this.#records.stepKeys(session), [
        ...[hash ?? '', session, absoluteMs, namespace, lifecycleLength, reason, user, notAfter, forestall ? 1 : 0],
      ]);
    if (ended === 1) this.#records.cluster?.told(session);
    return ended === 1;
  }

  async #identify(
    redis: BoundedOperation,
    address: SessionAddress,
    loaded: LoadedSession,
    user: string,
    own: SessionFields,
    claimed?: PlaceClaim,
  ): Promise<string[]> {
    const { settings, isSealing, cluster } = this.#records;
    const { session, hash } = address;
    // In a Cluster the place comes first: a session whose record says a user must not be missing in the user's index.
    const needsPlace = claimed === undefined && loaded.facts.user !== user;
    const { expiresAt } = loaded.facts;
    const place = needsPlace ? await this.#claims?.claim(redis, user, session, expiresAt) : claimed;
    const changes = isSealing ? '' : packTexts(listChanges(changesOf(own)));
    const fields = new Map([...loaded.fields, ...own]);
    const [status, header, ...ended] = await identifyRecord
      .for(redis)
      .runForBuffers(redis, this.#records.stepKeys(session), [
        hash ?? '',
        session,
        user,
        settings.absoluteMs,
        loaded.overtaken ? -1 : loaded.facts.version,
        this.#records.sealAnew(loaded, { user, fields }),
        isSealing ? 1 : 0,
        changes,
        settings.namespace,
        settings.lifecycleLength,
        cluster ? Number(place !== undefined) : settings.maxSessionsPerUser,
        settings.onSessionLimit,
        redis.notAfter(session),
      ]);
    if (place && (status === 0 || status === -2)) cluster?.released(user, session, place.score);
    if (status === -1 || status === -4) {
      const latest = await this.#records.load(redis, address);
      if (!latest && place) cluster?.released(user, session, place.score);
      if (!latest) throw new SessionGoneError('identify()');
      const result = await this.#identify(redis, address, latest, user, own, place);
      loaded.follow(latest.header, changesOf(own), { user });
      return result;
    }
    if (status === -3) throw new SessionLimitError(settings.maxSessionsPerUser);
    if (status === -5) throw new TooManySessionsError(settings.maxSessionsPerUser);
    if (status === -2) throw sealedByOthers(session);
    if (status === 0 || !header) throw new SessionGoneError('identify()');
    cluster?.confirmed(user, session, readHeader(header).expiresAt, place?.score);
    cluster?.told(session);
    loaded.follow(header, changesOf(own), { user });
    return [...(place?.ended ?? []), ...ended.map((member) => member.toString())];
  }
}

/** What cannot be read cannot be told to be this user's. */
export function unlessUnreadable(error: unknown): false {
  if (error instanceof SessionDataError || isWrongType(error) || isOtherFormat(error)) return false;
  throw error;
}

function changesOf(fields: SessionFields): FieldChange[] {
  return [...fields].map(([name, set]) => ({ name, set }));
}

/** What a list shows of a session. */
export function describeSession({ session, fields, facts }: LoadedSession): UserSession {
  const device = fields.get(DEVICE_FIELD);
  return {
    session,
    device: device === undefined ? undefined : (JSON.parse(device) as string),
    firstSeenAt: facts.createdAt,
    lastSeenAt: facts.lastSeenAt,
    expiresAt: facts.expiresAt,
  };
}
