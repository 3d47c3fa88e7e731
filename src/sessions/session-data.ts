import { EventEmitter } from 'node:events';
import type { ConsumeOptions } from '../consumers/index.ts';
import type { BoundedOperation } from './connection/bounded-operation.ts';
import { consumeLifecycle, type LifecycleEvent } from './lifecycle-consumer.ts';
import type { MirrorCounters } from './mirror/mirror-counters.ts';
import type { SetIfOutcome } from './operations/field-operations.ts';
import type { RotationOptions } from './operations/session-rotation.ts';
import type { SaveOptions } from './operations/session-saves.ts';
import type { SessionDataOptions } from './options.ts';
import { recordOf } from './record/loaded-record.ts';
import type { LoadedSession } from './record/loaded-session.ts';
import type { SessionInfo } from './record/session-info.ts';
import type { SessionDataEvents } from './session-data-events.ts';
import { openSessionDataParts, type SessionDataParts } from './session-data-parts.ts';
import type { ErasedSessions } from './subjects/session-erasure.ts';
import type { ExportedSessions } from './subjects/session-export.ts';
import { checkSubject, type Subject } from './subjects/subject.ts';
import {
  credentialOf,
  type ResolvedReference,
  resolveReference,
  type SessionReference,
} from './tokens/session-reference.ts';
import type { UserSessionPage } from './users/user-session-listing.ts';
import type { EndReason, UserSession } from './users/user-sessions.ts';

/** Session data in Redis: user, cart, preferences. The Express and Fastify stores use it for requests; jobs and
 *  webhooks use it directly. Every operation settles within `deadlineMs`, else it throws StoreUnavailableError. */
export class SessionData extends EventEmitter<SessionDataEvents> {
  readonly #parts: SessionDataParts;
  #closed: Promise<void> | undefined;

  /** Begins to connect and returns; never throws because Redis is away.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
  constructor(options: SessionDataOptions) {
    super();
    this.#parts = openSessionDataParts(options, this);
  }

  /** Whether operations are expected to succeed now. */
  get isUp(): boolean {
    return this.#parts.connection.isUp;
  }

  /** Longest life of a session, in milliseconds; 0: unlimited. */
  get absoluteMs(): number {
    return this.#parts.records.settings.absoluteMs;
  }

  /** With `mirrorTo`: how often sessions were copied for connect-redis, and what came of it; undefined without. */
  get mirrorCounters(): MirrorCounters | undefined {
    return this.#parts.connectRedis?.mirror?.counters;
  }

  /** The time by Redis's clock, in milliseconds of the epoch; in a Cluster by the clock of the session's master. */
  now(session?: string): number {
    return this.#parts.connection.now(session);
  }

  /** Reads a session by its token. Undefined: there is none, it has ended, or the token was replaced.
   *  @throws StoreUnavailableError; SessionDataError where the stored data cannot be read. */
  async load(token: string): Promise<LoadedSession | undefined> {
    const found = await this.find(token);
    return found === undefined || found === 'replaced' || recordOf(found).byPreviousSecret ? undefined : found;
  }

  /** Reads a session for a request that may have been sent before `rotate` was answered. For a token that the last
   *  rotation replaced: within its grace the session as it was before (`byPreviousSecret`: read-only); without a grace
   *  `replaced`, for `graceMs`. To such a request the session is absent, and it must not be given a new cookie: that
   *  would take the place of the one that the rotation gave.
   *  @throws StoreUnavailableError; SessionDataError where the stored data cannot be read. */
  find(token: string): Promise<LoadedSession | 'replaced' | undefined> {
    return new Promise((resolve, reject) => {
      this.findThen(token, (error, found) => (error ? reject(error) : resolve(found)));
    });
  }

  /** As `find`, with a callback, which mostly gets the session in the turn in which Redis answered: for adapters, because a
   *  page reads a session with each request. Never throws, and never calls back before it has returned. */
  findThen(
    token: string,
    settle: (error: Error | undefined, found?: LoadedSession | 'replaced' | undefined) => void,
  ): void {
    this.#parts.lookup.findThen(token, settle);
  }

  /** Reads the values of a loaded session, as a new object. `cookie.expires` is what was saved; where that has
   *  passed because renewals are throttled, the session's end.
   *  @throws SessionDataError where a field is no JSON. */
  valuesOf(loaded: LoadedSession): Record<string, unknown> {
    const record = recordOf(loaded);
    return record.values(this.now(record.session));
  }

  /** Reads the metadata of a loaded session: its id, its user, its times, its version. */
  infoOf(loaded: LoadedSession): SessionInfo {
    return recordOf(loaded).info;
  }

  /** Saves a session's values. With `loaded`, only the fields that changed since are written, one by one, and a session
   *  that has ended meanwhile stays ended. Without it, the session is replaced or made. Returns what the next save
   *  compares with; undefined where nothing was written, because the session has ended or the token is not its own.
   *  @throws StoreUnavailableError, NotSerialisableError; RangeError for what can be no token. */
  save(
    token: string,
    values: object,
    loaded?: LoadedSession,
    options: SaveOptions = {},
  ): Promise<LoadedSession | undefined> {
    return this.#parts.saves.save(token, values, loaded, options);
  }

  /** Whether a save of `values` would change no field; a touch is enough then.
   *  @throws NotSerialisableError */
  isUnchanged(values: object, loaded: LoadedSession): boolean {
    return this.#parts.saves.isUnchanged(values, recordOf(loaded));
  }

  /** Whether a token's secret is the current one of a living session.
   *  @throws StoreUnavailableError */
  async isCurrent(token: string): Promise<boolean> {
    return this.#parts.lookup.isCurrent(token);
  }

  /** Renews a session: its idle time begins anew. Sends nothing where that was done less than `touchEveryMs` ago. Of
   *  `values` only the cookie counts; without one that of `loaded` does, whose age counts from now. False where the
   *  session has ended.
   *  @throws StoreUnavailableError; RangeError for what can be no token. */
  async touch(token: string, values: { readonly cookie?: unknown }, loaded?: LoadedSession): Promise<boolean> {
    return this.#parts.saves.touch(credentialOf(token), values, loaded && recordOf(loaded));
  }

  /** Ends a session for good. False where it had ended before.
   *  @throws StoreUnavailableError */
  async end(reference: SessionReference, reason: EndReason = 'destroyed'): Promise<boolean> {
    return this.#parts.ending.end(reference, reason);
  }

  /** Gives a session another secret and returns the new token. Data and everything calculated stay; the previous
   *  secret opens nothing from then on. With `grace`, for rotations that go with no change of rights (each hour,
   *  say), it reads for `graceMs` the data of before; `identify` ends the grace. `unsent`: `token` comes from a
   *  rotation a moment ago that no browser knows of, so the secret before it stays the previous one.
   *  @throws StoreUnavailableError; SessionGoneError, also where `token` has been replaced itself; RangeError for
   *  what can be no token. */
  async rotate(token: string, options: RotationOptions = {}, loaded?: LoadedSession): Promise<string> {
    return this.#parts.rotation.rotate(credentialOf(token), loaded && recordOf(loaded), options);
  }

  /** Adds to a number of a session in one step and returns the sum. It does not renew the session. `loaded` and
   *  `values`: the session as it was loaded and as the caller has it now; the caller's own change of the field is
   *  applied first, in the same step, as a save would.
   *  @throws StoreUnavailableError, SessionGoneError; SessionDataError where the field holds no number. */
  increment(
    reference: SessionReference,
    field: string,
    by = 1,
    loaded?: LoadedSession,
    values?: object,
  ): Promise<number> {
    const resolved = resolveReference(reference);
    const held = { loaded: loaded && recordOf(loaded), values };
    return this.#write(resolved, (redis) => this.#parts.fields.increment(redis, resolved, held, field, by));
  }

  /** Appends to a list of a session in one step and returns the list. `loaded` and `values`: see `increment`.
   *  @throws StoreUnavailableError, SessionGoneError, NotSerialisableError; SessionDataError where the field is no
   *  list. */
  append(
    reference: SessionReference,
    field: string,
    added: readonly unknown[],
    loaded?: LoadedSession,
    values?: object,
  ): Promise<unknown[]> {
    const resolved = resolveReference(reference);
    const held = { loaded: loaded && recordOf(loaded), values };
    return this.#write(resolved, (redis) => this.#parts.fields.append(redis, resolved, held, field, added));
  }

  /** Sets fields if the session still has `version`; `undefined` removes a field.
   *  @throws StoreUnavailableError, SessionGoneError, NotSerialisableError; RangeError for a wrong version or missing
   *  fields. */
  setIf(
    reference: SessionReference,
    version: number,
    values: Readonly<Record<string, unknown>>,
    loaded?: LoadedSession,
  ): Promise<SetIfOutcome> {
    const resolved = resolveReference(reference);
    const held = loaded && recordOf(loaded);
    return this.#write(resolved, (redis) => this.#parts.fields.setIf(redis, resolved, held, version, values));
  }

  /** Gives a session to a user. Returns the sessions that were ended because of `maxSessionsPerUser`. More than 100 are
   *  ended in steps first, each with a deadline of its own.
   *  @throws StoreUnavailableError, SessionGoneError, SessionLimitError; RangeError for what is no user id. */
  async identify(
    reference: SessionReference,
    userId: string,
    options: { readonly device?: string | undefined } = {},
    loaded?: LoadedSession,
  ): Promise<string[]> {
    const resolved = resolveReference(reference);
    return this.#parts.logins.identify(resolved, userId, options.device, loaded && recordOf(loaded));
  }

  /** Whether a session, named by its public id, lives and can be read.
   *  @throws StoreUnavailableError; RangeError for what is no session's id. */
  async isLiving(session: string): Promise<boolean> {
    return this.#parts.lookup.isLiving(session);
  }

  /** The user of a session, for readers of the lifecycle stream, which names no user. Undefined: the session has
   *  ended or belongs to no user.
   *  @throws StoreUnavailableError; SessionDataError where the session cannot be read; RangeError for what is no
   *  session's id. */
  async userOf(session: string): Promise<string | undefined> {
    return this.#parts.lookup.userOf(session);
  }

  /** A page of a user's living sessions, the last seen first: at most `page.limit` (default 100, at most 1,000), behind
   *  `page.after`, the last one of the page before. A page shorter than its limit is the last. It looks at all of the
   *  user's sessions, in steps with a deadline each.
   *  @throws StoreUnavailableError; RangeError for what is no user id, or no limit. */
  async sessionsOf(userId: string, page?: UserSessionPage): Promise<UserSession[]> {
    return this.#parts.listing.list(userId, page);
  }

  /** Ends one of a user's sessions. False where it has ended, or belongs to another user.
   *  @throws StoreUnavailableError */
  async endSession(userId: string, session: string): Promise<boolean> {
    return this.#parts.ending.endOf(userId, session);
  }

  /** Ends all of a user's sessions but `keep` (a session's id), in steps of 200 with a deadline each. Returns how many.
   *  @throws StoreUnavailableError that says how many had ended by then; RangeError where `keep` is given and undefined. */
  async endSessionsOf(userId: string, options: { readonly keep?: string } = {}): Promise<number> {
    if ('keep' in options && typeof options.keep !== 'string') {
      throw new RangeError(
        `keep is ${String(options.keep)}, and so all sessions would end: give an id, or leave keep out.`,
      );
    }
    return this.#parts.listing.endAll(userId, options.keep);
  }

  /** Erases one session, or all sessions of a user: their data, also those that wait for an archive; what the service knows
   *  of these sessions; and the lifecycle events that name them. Returns what was erased, by kind. Living sessions end
   *  first: readers of the lifecycle stream get the event `ended` with the reason `erased`, which is then deleted. For an
   *  hour the ids of the sessions cannot be used again. Steps have a deadline each; doing it again is harmless, and goes on
   *  where it was interrupted.
   *
   *  What the service knows of a person, requests in streams and rows of an archive are not session data: `sessionwise
   *  erase` erases these too.
   *  @throws StoreUnavailableError; RangeError for anything but `{ session }` or `{ user }`. */
  async forget(subject: Subject): Promise<ErasedSessions> {
    return this.#parts.erasure.erase(checkSubject(subject));
  }

  /** Reads everything that is stored of one session, or of all sessions of a user: data, devices, times, and lifecycle
   *  events. As plain values, for JSON. `sessionwise export` tells what the service knows, too.
   *  @throws StoreUnavailableError; SessionDataError; RangeError for anything but `{ session }` or `{ user }`. */
  async export(subject: Subject): Promise<ExportedSessions> {
    return this.#parts.export.export(checkSubject(subject));
  }

  /** The public ids of all living sessions. For tools: it looks at all of them. Tokens cannot be listed: Redis holds
   *  only hashes of them.
   *  @throws StoreUnavailableError */
  async sessions(): Promise<string[]> {
    return (await this.#parts.allSessions.all()).map(({ session }) => session);
  }

  /** All living sessions. For tools: it reads all of them, in steps with a deadline each.
   *  @throws StoreUnavailableError */
  all(): Promise<LoadedSession[]> {
    return this.#parts.allSessions.all();
  }

  /** Ends all sessions of the namespace. For tools; each step has a deadline.
   *  @throws StoreUnavailableError */
  clear(): Promise<void> {
    return this.#parts.allSessions.clear();
  }

  /** Loops over the events of sessions' lives, by a consumer group: `for await (const event of lifecycle({ group }))`. An
   *  event is done when the loop asks for the next one; one over which the loop ended comes again (`tries`), so each is told
   *  at least once. What a process that died had in hand, another loop takes over. While Redis is away, the loop goes on by
   *  itself. `gap` tells that events are missing. It ends by `break`, `return`, the signal, or `close`.
   *  @throws ConsumerRefusedError (from the loop) where Redis refuses for good; RangeError for options that cannot be used. */
  lifecycle(options: ConsumeOptions): AsyncIterableIterator<LifecycleEvent> {
    const { connection, consumers, keys } = this.#parts;
    return consumers.add(consumeLifecycle(connection.redis, keys, options));
  }

  /** Closes the connection; waiting operations are refused. In a Cluster, lifecycle events that are being moved to the
   *  stream get one second. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#parts.consumers.close();
      await this.#parts.maintenance.stop();
      await this.#parts.connection.close(this.#parts.records.deferredWrites?.outbox.idle());
      this.removeAllListeners();
    })();
    return this.#closed;
  }

  #write<Result>(reference: ResolvedReference, work: (redis: BoundedOperation) => Promise<Result>): Promise<Result> {
    const { connection, records } = this.#parts;
    const key = records.keys.record(reference.session);
    return connection.run((redis) => records.write(redis, reference, () => work(redis)), { key });
  }
}
