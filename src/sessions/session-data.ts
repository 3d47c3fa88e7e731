import { EventEmitter } from 'node:events';
import { isSession } from '../protocol/index.ts';
import { Keys } from '../redis/index.ts';
import { SessionCensus } from './all-sessions.ts';
import { Archiver } from './archive/archiver.ts';
import { ImportedSessions } from './connect-redis-import.ts';
import type { BoundedOperation } from './connection/bounded-operation.ts';
import { StoreConnection } from './connection/store-connection.ts';
import { SessionGoneError, SessionLimitError } from './errors.ts';
import { Sweeper } from './expiry/sweeper.ts';
import { FieldOperations, type SetIfOutcome } from './operations/field-operations.ts';
import { changesSince, SessionRecords } from './operations/session-records.ts';
import { type RotationOptions, SessionRotation } from './operations/session-rotation.ts';
import { type SessionDataOptions, settingsOf } from './options.ts';
import type { LoadedSession } from './record/loaded-session.ts';
import { writeFields } from './record/session-fields.ts';
import { addressOf, proofOf, type SessionTarget } from './tokens/session-reference.ts';
import { readToken } from './tokens/token-credential.ts';
import { userReference } from './tokens/user-reference.ts';
import { TooManySessionsError } from './too-many-sessions-error.ts';
import { type UserSessionPage, UserSessionPages } from './users/user-session-pages.ts';
import { type EndReason, type UserSession, UserSessions } from './users/user-sessions.ts';

interface SessionDataEvents {
  /** Operations fail, for the first time since they last succeeded. */
  'store:down': [Error];
  /** They succeed again. */
  'store:up': [];
  /** The option `archive` could not take a session; it waits, and is given it again. */
  'archive:failed': [Error];
  /** The archive has taken a session again. */
  'archive:back': [];
}

/** The classic half of a session in Redis: who, cart, preferences. What the Express and Fastify stores are made of, and
 *  what other code uses directly. Every operation settles within `deadlineMs`; where it cannot, it throws
 *  StoreUnavailableError. */
export class SessionData extends EventEmitter<SessionDataEvents> {
  readonly #connection: StoreConnection;
  readonly #records: SessionRecords;
  readonly #fields: FieldOperations;
  readonly #users: UserSessions;
  readonly #pages: UserSessionPages;
  readonly #rotation: SessionRotation;
  readonly #census: SessionCensus;
  readonly #imported: ImportedSessions | undefined;
  readonly #sweeper: Sweeper | undefined;
  readonly #archiver: Archiver | undefined;
  #closed: Promise<void> | undefined;

  /** Begins to connect and returns; never throws because Redis is away.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
  constructor(options: SessionDataOptions) {
    super();
    const settings = settingsOf(options);
    const keys = new Keys(settings.namespace);
    this.#connection = new StoreConnection(options.redis, keys, settings.deadlineMs);
    try {
      this.#records = new SessionRecords(this.#connection, keys, settings, options.encryption);
    } catch (error) {
      void this.#connection.close();
      throw error;
    }
    this.#fields = new FieldOperations(this.#records);
    this.#users = new UserSessions(this.#records);
    this.#pages = new UserSessionPages(this.#connection, this.#records, this.#users);
    this.#rotation = new SessionRotation(this.#connection, this.#records);
    this.#census = new SessionCensus(this.#connection, this.#records, this.#users);
    this.#imported =
      settings.importFrom === undefined ? undefined : new ImportedSessions(this.#records, settings.importFrom);
    if (options.sweep ?? true) {
      this.#sweeper = new Sweeper(this.#connection.redis, settings.namespace, settings).start();
    }
    if (options.archive) {
      const { lifecycleLength } = settings;
      this.#archiver = new Archiver(this.#connection.redis, settings.namespace, options.archive, {
        lifecycleLength,
        ...(options.encryption && { encryption: options.encryption }),
      });
      this.#archiver.on('failed', (failure) => this.emit('archive:failed', failure));
      this.#archiver.on('back', () => this.emit('archive:back'));
      void this.#archiver.start();
    }
    this.#connection.on('down', (error) => this.emit('store:down', error));
    this.#connection.on('up', () => this.emit('store:up'));
  }

  /** Whether operations are expected to succeed now. */
  get isUp(): boolean {
    return this.#connection.isUp;
  }

  /** How long a session may live, in milliseconds; 0 for without end. */
  get absoluteMs(): number {
    return this.#records.settings.absoluteMs;
  }

  /** The time by Redis's clock, in milliseconds of the epoch; in a Cluster by that of the master that holds `session`,
   *  or of any. */
  now(session?: string): number {
    return this.#connection.now(session);
  }

  /** Reads a session; undefined where there is none, it has ended, or the token is not its own (any more).
   *  @throws StoreUnavailableError; SessionDataError where it is there and cannot be read. */
  async load(token: string): Promise<LoadedSession | undefined> {
    const found = await this.find(token);
    return found === 'replaced' || found?.byPreviousSecret ? undefined : found;
  }

  /** As `load`, for a request that may have been sent before `rotate` was answered. By a token that the last rotation
   *  has replaced: within its grace the session as it was before (`byPreviousSecret`: it can be read, and nothing else);
   *  without one `replaced`, for `graceMs`: to such a request the session is absent, and it must not be given a new
   *  cookie, which would take the place of the one that rotation gave.
   *  @throws StoreUnavailableError; SessionDataError where it is there and cannot be read. */
  async find(token: string): Promise<LoadedSession | 'replaced' | undefined> {
    const proof = readToken(token);
    if (!proof) return undefined;
    return this.#read(proof.session, async (redis) => {
      const found = await this.#records.find(redis, proof);
      return found ?? this.#imported?.take(redis, token, proof);
    });
  }

  /** Saves a session's values. Where it was loaded, only what was changed since is written, field by field; a session
   *  that has ended meanwhile stays ended. Where nothing was loaded, what is there is replaced, or made. Returns what is
   *  now to be compared with; undefined where nothing was written, because the session has ended or the token is not
   *  its own. `isNew`: nothing is there, so nothing is looked for. `mostIdleMs`: how long a session that is made rests at
   *  most, until it is next saved or touched.
   *  @throws StoreUnavailableError, NotSerialisableError; RangeError for what can be no token. */
  async save(
    token: string,
    values: object,
    loaded?: LoadedSession,
    options: { readonly isNew?: boolean; readonly mostIdleMs?: number } = {},
  ): Promise<LoadedSession | undefined> {
    const proof = proofOf(token);
    const { fields, cookie } = writeFields(values);
    if (loaded?.byPreviousSecret) return undefined;
    return this.#run(proof.session, async (redis) => {
      const base = loaded?.session === proof.session ? loaded : undefined;
      const before = base ?? (options.isNew ? undefined : await this.#records.load(redis, proof));
      const { times } = this.#records;
      const isOld =
        base !== undefined &&
        cookie !== undefined &&
        cookie.expiresAt !== 0 &&
        cookie.expiresAt === base.cookieEndGiven;
      const terms = isOld ? times.termsForAge(maxAgeOf(values)) : times.termsFor(cookie?.expiresAt);
      if (!before)
        return this.#records.put(redis, proof, fields, times.termsFor(cookie?.expiresAt, options.mostIdleMs));
      // Jobs and webhooks know nothing of cookies: theirs is no visit, and the cookie's time stays what it is.
      const isVisit = fields.has('cookie') || !before.fields.has('cookie');
      if (!isVisit) before.hidden.add('cookie');
      const changes = changesSince(before, fields, base !== undefined && this.#records.settings.integerDeltas);
      return (await this.#records.change(redis, proof, before, changes, isVisit ? terms : undefined))
        ? before
        : undefined;
    });
  }

  /** Whether a save of `values` would write nothing that was changed: then a touch is enough. */
  isUnchanged(values: object, loaded: LoadedSession): boolean {
    return changesSince(loaded, writeFields(values).fields, false).length === 0;
  }

  /** Whether a token's secret is the session's current one: not the previous one, and the session has not ended.
   *  @throws StoreUnavailableError */
  async isCurrent(token: string): Promise<boolean> {
    const proof = readToken(token);
    return proof !== undefined && this.#read(proof.session, (redis) => this.#records.isCurrent(redis, proof));
  }

  /** Renews a session: it ends its idle time from now. Sends nothing where it was renewed less than `touchEveryMs` ago.
   *  `values`: of them only the cookie counts; without one that of `loaded` does, whose age counts from now. False where
   *  the session has ended.
   *  @throws StoreUnavailableError; RangeError for what can be no token. */
  async touch(token: string, values: { readonly cookie?: unknown }, loaded?: LoadedSession): Promise<boolean> {
    const proof = proofOf(token);
    if (loaded?.byPreviousSecret) return false;
    const { fields, cookie } = writeFields({ cookie: values.cookie });
    const { times } = this.#records;
    const keepsCookie = values.cookie === undefined && loaded !== undefined && loaded.facts.cookieExpiresAt !== 0;
    const terms = keepsCookie
      ? times.termsForAge(maxAgeOf(loaded.values(this.now(loaded.session))))
      : times.termsFor(cookie?.expiresAt);
    if (!terms) return true;
    const json = fields.get('cookie');
    if (loaded && json !== undefined && json !== loaded.fields.get('cookie')) {
      const changes = [{ name: 'cookie', set: json }];
      return this.#run(proof.session, (redis) => this.#records.change(redis, proof, loaded, changes, terms));
    }
    if (loaded && this.#records.times.isFresh(loaded, terms)) return true;
    return this.#run(proof.session, (redis) => this.#records.touch(redis, proof, loaded, terms));
  }

  /** Ends a session, for good. Whether it lived until now.
   *  @throws StoreUnavailableError */
  async end(target: SessionTarget, reason: EndReason = 'destroyed'): Promise<boolean> {
    const address = typeof target === 'string' ? readToken(target) : addressOf(target);
    if (!address) return false;
    return this.#run(address.session, async (redis) => {
      const forestall = typeof target === 'string' && (await this.#imported?.forget(redis, target));
      const lived = await this.#users.endRecord(redis, address, reason, { forestall: forestall === true });
      return lived || forestall === true;
    });
  }

  /** Gives a session another secret, and returns the token with it: same session, same data, nothing calculated is lost.
   *  From then on the previous secret opens nothing. With `grace`, for a rotation that goes with no change of rights
   *  (each hour, say), it reads for `graceMs` what was there before, and nothing else; `identify` ends that.
   *  `unsent`: `token` is of a rotation a moment ago, and was sent to nobody: the secret before it stays the previous one.
   *  @throws StoreUnavailableError; SessionGoneError, also where `token` has been replaced itself; RangeError for what
   *  can be no token. */
  async rotate(token: string, options: RotationOptions = {}, loaded?: LoadedSession): Promise<string> {
    return this.#rotation.rotate(proofOf(token), loaded, options);
  }

  /** Adds to a number of a session in one step, and returns the sum. No visit: it does not renew the session. `loaded`
   *  and `values`: the session as the caller loaded it and as it has it now; what it has changed of the field in between
   *  is done first, in the same step, as a save would do it.
   *  @throws StoreUnavailableError, SessionGoneError; SessionDataError where the field holds no number. */
  increment(target: SessionTarget, field: string, by = 1, loaded?: LoadedSession, values?: object): Promise<number> {
    const address = addressOf(target);
    return this.#run(address.session, (redis) => this.#fields.increment(redis, address, { loaded, values }, field, by));
  }

  /** Appends to a list of a session in one step, and returns the list. `loaded` and `values`: see `increment`.
   *  @throws StoreUnavailableError, SessionGoneError, NotSerialisableError; SessionDataError where the field is no list. */
  append(
    target: SessionTarget,
    field: string,
    added: readonly unknown[],
    loaded?: LoadedSession,
    values?: object,
  ): Promise<unknown[]> {
    const address = addressOf(target);
    return this.#run(address.session, (redis) => this.#fields.append(redis, address, { loaded, values }, field, added));
  }

  /** Sets fields if nobody has changed the session since it had `version`; `undefined` removes a field.
   *  @throws StoreUnavailableError, SessionGoneError, NotSerialisableError */
  setIf(
    target: SessionTarget,
    version: number,
    values: Readonly<Record<string, unknown>>,
    loaded?: LoadedSession,
  ): Promise<SetIfOutcome> {
    const address = addressOf(target);
    return this.#run(address.session, (redis) => this.#fields.setIf(redis, address, loaded, version, values));
  }

  /** Gives a session to a user. Returns the sessions that were ended for it, where the store does that. Where those are
   *  more than 100, they are ended in steps first, each of which has a deadline of its own.
   *  @throws StoreUnavailableError, SessionGoneError, SessionLimitError; RangeError for what is no user id. */
  async identify(
    target: SessionTarget,
    userId: string,
    options: { readonly device?: string | undefined } = {},
    loaded?: LoadedSession,
  ): Promise<string[]> {
    const address = addressOf(target);
    const identify = (): Promise<string[]> =>
      this.#run(address.session, async (redis) => {
        const session = loaded ?? (await this.#records.load(redis, address));
        if (!session) throw new SessionGoneError('identify()');
        return this.#users.identify(redis, address, session, userId, options.device);
      });
    const ended: string[] = [];
    for (;;) {
      try {
        return [...ended, ...(await identify())];
      } catch (error) {
        if (!(error instanceof TooManySessionsError)) throw error;
        const more = await this.#pages.endOldest(userId, error.limit);
        // Those that are too many cannot be read, so they cannot be ended either.
        if (more.length === 0) throw new SessionLimitError(error.limit);
        ended.push(...more);
      }
    }
  }

  /** Whether a session lives, by its public id, and can be read.
   *  @throws StoreUnavailableError; RangeError for what is no session's id. */
  async isLiving(session: string): Promise<boolean> {
    addressOf({ session });
    return this.#read(session, async (redis) => (await this.#records.tryLoad(redis, session)) !== undefined);
  }

  /** The user whom `identify` gave a session to; undefined where the session has ended or is nobody's. For whoever reads
   *  the lifecycle stream, which names no user.
   *  @throws StoreUnavailableError; SessionDataError where the session cannot be read; RangeError for what is no
   *  session's id. */
  async userOf(session: string): Promise<string | undefined> {
    const address = addressOf({ session });
    const loaded = await this.#read(session, (redis) => this.#records.load(redis, address));
    return loaded?.userId;
  }

  /** A page of a user's sessions that live, the last seen first: at most `page.limit` (default 100, at most 1,000),
   *  behind `page.after`, the last one of the page before. One that is shorter than its limit is the last. It looks at
   *  all of them, in steps with a deadline each.
   *  @throws StoreUnavailableError; RangeError for what is no user id, or no limit. */
  async sessionsOf(userId: string, page?: UserSessionPage): Promise<UserSession[]> {
    return this.#pages.list(userId, page);
  }

  /** Ends one of a user's sessions. False where it has ended, or is another user's.
   *  @throws StoreUnavailableError */
  async endSession(userId: string, session: string): Promise<boolean> {
    const user = userReference(userId);
    if (typeof session !== 'string' || !isSession(session)) return false;
    return this.#run(session, (redis) =>
      this.#users.endRecord(redis, { session, hash: undefined }, 'by-user', { user }),
    );
  }

  /** Ends a user's sessions, all or all but `keep` (a session's id). How many it were. However many there are, they are
   *  ended in steps of 200, each of which has a deadline of its own.
   *  @throws StoreUnavailableError that says how many had ended by then. */
  async endSessionsOf(userId: string, options: { readonly keep?: string } = {}): Promise<number> {
    return this.#pages.endAll(userId, options.keep);
  }

  /** The ids of all sessions that live; not their tokens, which nobody has. For tools: it looks at all of them.
   *  @throws StoreUnavailableError */
  async sessions(): Promise<string[]> {
    return (await this.#census.all()).map(({ session }) => session);
  }

  /** All sessions that live. For tools: it reads all of them. Each of its steps has a deadline, not the whole.
   *  @throws StoreUnavailableError */
  all(): Promise<LoadedSession[]> {
    return this.#census.all();
  }

  /** Ends all sessions of the namespace. For tools: each of its steps has a deadline, not the whole.
   *  @throws StoreUnavailableError */
  clear(): Promise<void> {
    return this.#census.clear();
  }

  /** Ends the connection; operations that wait are refused. In a Cluster events that are on their way to the lifecycle
   *  stream get a second. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#sweeper?.stop();
      await this.#archiver?.stop();
      await this.#connection.close(this.#records.cluster?.outbox.idle());
      this.removeAllListeners();
    })();
    return this.#closed;
  }

  #run<Result>(session: string, work: (redis: BoundedOperation) => Promise<Result>): Promise<Result> {
    return this.#connection.run(work, { key: this.#records.keys.record(session) });
  }

  #read<Result>(session: string, work: (redis: BoundedOperation) => Promise<Result>): Promise<Result> {
    return this.#connection.run(work, { key: this.#records.keys.record(session), reads: true });
  }
}

function maxAgeOf(values: object): unknown {
  return (values as { cookie?: { originalMaxAge?: unknown } }).cookie?.originalMaxAge;
}
