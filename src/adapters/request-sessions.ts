import { EventEmitter } from 'node:events';
import {
  type LoadedRecord,
  type LoadedSession,
  NotSerialisableError,
  recordOf,
  SessionData,
  SessionGoneError,
  StoreUnavailableError,
} from '../sessions/index.ts';
import { holdsNothing } from './anonymous-session.ts';
import type { CurrentSession } from './current-session.ts';
import type { DegradedOperation } from './degraded-operation.ts';
import { RequestSessionQueue } from './request-session-queue.ts';
import { SessionIds } from './session-ids.ts';
import { SessionStates } from './session-states.ts';
import type { SessionStoreEvents } from './session-store-events.ts';
import { type SessionStoreOptions, storeSettingsOf } from './session-store-options.ts';
import { TokenMemory } from './token-memory.ts';

/** Loads, saves and ends the sessions of requests: the part of a store that all frameworks share. `states` holds the
 *  part that needs no Redis.
 *
 *  A session goes by its values: the plain object that `get` gives, or one that the framework makes. Call `states.begin`
 *  for a new one, and `handOver` where another object takes its place. */
export class RequestSessions extends EventEmitter<SessionStoreEvents> {
  /** The store beneath: by token or session, for code that is no request. */
  readonly data: SessionData;
  /** State of sessions, as it is known without asking Redis. */
  readonly states: SessionStates;
  readonly #failsOpen: boolean;
  readonly #anonymousIdleMs: number;
  readonly #isTaken: (name: string) => boolean;
  readonly #current = new RequestSessionQueue();
  readonly #tokens = new TokenMemory();
  readonly #ids: SessionIds;

  /** Begins to connect and returns. `isTaken`: names that the framework's sessions use themselves; a stored field of such
   *  a name is left as it is and not shown. Default: none.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
  constructor(options: SessionStoreOptions, isTaken: (name: string) => boolean = () => false) {
    super();
    const { failsOpen, anonymousIdleMs, dataOptions } = storeSettingsOf(options);
    this.#isTaken = isTaken;
    this.#failsOpen = failsOpen;
    this.#anonymousIdleMs = anonymousIdleMs;
    this.states = new SessionStates(this.#tokens);
    this.data = new SessionData(dataOptions);
    this.#ids = new SessionIds(this.data, this.#tokens);
    this.data.on('store:down', (error) => this.emit('store:down', error));
    this.data.on('store:up', () => this.emit('store:up'));
    this.data.on('mirror:failed', (error) => this.emit('mirror:failed', error));
  }

  /** Reads a session's values by its token; undefined where there is none. In a store that fails open, returns empty
   *  values that are marked as degraded where the session could not be read.
   *  @throws StoreUnavailableError in a store that fails closed; SessionDataError where the session is there and cannot be
   *  read. */
  get(token: string): Promise<object | undefined> {
    return new Promise((resolve, reject) => {
      this.getThen(token, (error, values) => (error ? reject(error) : resolve(values)));
    });
  }

  /** As `get`, with a callback; see `SessionData.findThen`. */
  getThen(token: string, settle: (error: unknown, values?: object) => void): void {
    this.data.findThen(token, (error, found) => {
      let values: object | undefined;
      try {
        values = error ? this.#withoutSession(token, error) : this.#valuesOf(token, found);
      } catch (refusal) {
        settle(refusal);
        return;
      }
      settle(undefined, values);
    });
  }

  #valuesOf(token: string, found: LoadedSession | 'replaced' | undefined): object | undefined {
    this.#tokens.noteUnread(token, false);
    this.#tokens.noteReplaced(token, found === 'replaced');
    if (!found || found === 'replaced') return undefined;
    const loaded = recordOf(found);
    for (const name of loaded.fields.keys()) if (this.#isTaken(name)) loaded.hidden.add(name);
    const values = loaded.values(this.data.now(loaded.session));
    this.states.setLoaded(values, loaded);
    return values;
  }

  // Values for a request whose session could not be read, in a store that fails open.
  #withoutSession(token: string, error: Error): object {
    if (error instanceof StoreUnavailableError) this.#tokens.noteUnread(token, true);
    if (!this.#tolerates('get', error)) throw error;
    const values = {};
    this.states.degrade(values);
    return values;
  }

  /** Saves the changes since the values were loaded, behind the operations of the same request.
   *  @throws StoreUnavailableError in a store that fails closed; NotSerialisableError; RangeError for a public id. */
  async set(token: string, values: object): Promise<void> {
    const { states } = this;
    if (states.ignoresSaves(values)) return;
    if (states.isAnonymous(values) && states.loadedOf(values) && this.isUnchanged(values)) return;
    try {
      if (!this.#isKnown(values)) await this.#ids.refusePublicId(token);
      await this.#current.inTurn({ token, values }, async (current) => {
        const before = states.loadedOf(current.values);
        const isNew = states.isNew(current.values);
        const loaded = await this.data.save(current.token, current.values, before, {
          isNew,
          ...(isNew && states.isAnonymous(current.values) && { mostIdleMs: this.#anonymousIdleMs }),
        });
        if (loaded && loaded !== before) states.setLoaded(current.values, recordOf(loaded));
      });
    } catch (error) {
      if (!this.#tolerates('set', error)) throw error;
    }
  }

  /** Renews a session; mostly it sends nothing.
   *  @throws StoreUnavailableError in a store that fails closed; RangeError for a public id. */
  async touch(token: string, values: object): Promise<void> {
    const { states } = this;
    // Of an anonymous session only a second request moves the end.
    if (states.ignoresTouches(values)) return;
    try {
      if (!this.#isKnown(values)) await this.#ids.refusePublicId(token);
      await this.data.touch(token, values, states.loadedOf(values));
    } catch (error) {
      if (!this.#tolerates('touch', error)) throw error;
    }
  }

  /** Saves a session, or only renews it where nothing was changed: for the end of a request. A field that cannot be
   *  written is put back, as by `states.checkFields`.
   *  @throws as `set` does. */
  async setOrTouch(token: string, values: object): Promise<void> {
    try {
      await (this.isUnchanged(values) ? this.touch(token, values) : this.set(token, values));
    } catch (error) {
      if (error instanceof NotSerialisableError) this.states.checkFields(values);
      throw error;
    }
  }

  /** Ends a session, for good: by its token, or by the public id that tools have from a list of all. A public id ends the
   *  session only where no request carries it as its token, so a text that a client sent ends no other session.
   *
   *  A session whose last read failed less than a minute ago is not ended: no request has seen it, and express-session
   *  with `unset: 'destroy'` ends the session of every request that it could not read. Nor is one whose secret was
   *  replaced: a logout with that secret must not report success.
   *  @throws StoreUnavailableError; SessionGoneError where the token was replaced. */
  async end(id: string): Promise<void> {
    if (!(await this.#ids.end(id)) && (await this.#ids.isReplaced(id))) {
      throw new SessionGoneError('The end of the session');
    }
  }

  /** Ends a session so that another one begins in its place. Like `end`, but a replaced secret is no error: such a request
   *  may begin a session of its own.
   *  @throws StoreUnavailableError */
  async endForAnother(id: string): Promise<void> {
    await this.#ids.end(id);
  }

  /** Renews an anonymous session at its second request, for frameworks that do not save unchanged sessions.
   *  @throws StoreUnavailableError in a store that fails closed. */
  async renewAnonymous(token: string, values: object): Promise<void> {
    const loaded = this.states.loadedOf(values);
    if (!loaded || loaded.header.lastSeenAt !== loaded.header.createdAt) return;
    if (this.states.isNew(values) || loaded.userId !== undefined || !holdsNothing(values)) return;
    await this.touch(token, values);
  }

  /** Whether a token's secret is the session's current one, as Redis has it now. False as well where that cannot be
   *  learned in time: a cookie that is in doubt is not sent. */
  isCurrent(token: string): Promise<boolean> {
    return this.data.isCurrent(token).catch(() => false);
  }

  /** Whether values equal those that were loaded. False for values that were not loaded.
   *  @throws NotSerialisableError */
  isUnchanged(values: object): boolean {
    const loaded = this.states.loadedOf(values);
    return loaded !== undefined && this.data.isUnchanged(values, loaded);
  }

  /** When the session must end, whatever is done with it, in milliseconds of the epoch by this process's clock;
   *  undefined for never. It counts from the first save, which for a new one is now. */
  lastMoment(values: object): number | undefined {
    const { absoluteMs } = this.data;
    if (absoluteMs === 0) return undefined;
    const loaded = this.states.loadedOf(values);
    const leftMs = loaded ? loaded.header.createdAt + absoluteMs - this.data.now(loaded.session) : absoluteMs;
    return Date.now() + Math.max(0, leftMs);
  }

  /** Makes `to` the object that holds the session of `from`. */
  handOver(from: object, to: object): void {
    this.#current.handOver(from, to);
    this.states.copy(from, to);
  }

  /** Runs an operation on a session in Redis, behind those that were asked for before. A new session is saved first.
   *  @throws StoreUnavailableError, SessionGoneError */
  operate<Result>(
    asked: CurrentSession,
    work: (current: CurrentSession, loaded: LoadedRecord) => Promise<Result>,
  ): Promise<Result> {
    return this.#current.inTurn(asked, async (current) => work(current, await this.#saved(current)));
  }

  /** Gives a session another secret, behind the operations that were asked for before. `adopt` is given the token with
   *  it and the object that holds the session by then; later operations go on with them.
   *  @throws StoreUnavailableError, SessionGoneError */
  rotate(
    asked: CurrentSession,
    { grace }: { readonly grace?: boolean },
    adopt: (token: string, values: object) => void,
  ): Promise<void> {
    return this.#operateAsOwn(asked, async ({ token, values }, loaded) => {
      const before = loaded.header.secret;
      const unsent = this.#current.rotatedTokenOf(values) !== undefined;
      const next = await this.data.rotate(token, { grace, unsent }, loaded);
      this.#current.setRotatedToken(values, next);
      this.#tokens.noteReplacedSecret(before);
      adopt(next, values);
    });
  }

  /** Gives a session to a user; see `SessionData.identify`.
   *  @throws StoreUnavailableError, SessionGoneError, SessionLimitError */
  identify(asked: CurrentSession, userId: string, device: string | undefined): Promise<string[]> {
    return this.#operateAsOwn(asked, async ({ token, values }, loaded) => {
      const ended = await this.data.identify(token, userId, { device }, loaded);
      this.states.settle(values);
      return ended;
    });
  }

  /** Ends the connection. Operations that wait are refused. */
  async close(): Promise<void> {
    await this.data.close();
    this.removeAllListeners();
  }

  #operateAsOwn<Result>(
    asked: CurrentSession,
    work: (current: CurrentSession, loaded: LoadedRecord) => Promise<Result>,
  ): Promise<Result> {
    return this.#current.inTurn(asked, (current) =>
      this.states.asOwn(current.values, async () => work(current, await this.#saved(current))),
    );
  }

  async #saved({ token, values }: CurrentSession): Promise<LoadedRecord> {
    if (this.states.isDegraded(values)) {
      throw new StoreUnavailableError('The session could not be read, so it cannot be changed either.');
    }
    if (this.states.isStandIn(values)) throw new SessionGoneError('The change');
    const before = this.states.loadedOf(values);
    if (before) return before;
    this.states.need(values);
    const saved = await this.data.save(token, values, undefined, { isNew: this.states.isNew(values) });
    if (!saved) throw new SessionGoneError('The first save of the session');
    const loaded = recordOf(saved);
    this.#tokens.noteStandIn(token, false);
    this.states.setLoaded(values, loaded);
    return loaded;
  }

  // Values that no request has loaded or begun come with an id of the caller's, perhaps from a list of all sessions.
  #isKnown(values: object): boolean {
    return this.states.loadedOf(values) !== undefined || this.states.isNew(values);
  }

  #tolerates(operation: DegradedOperation['operation'], error: unknown): boolean {
    if (!this.#failsOpen || !(error instanceof StoreUnavailableError)) return false;
    this.emit('degraded', { operation, error });
    return true;
  }
}
