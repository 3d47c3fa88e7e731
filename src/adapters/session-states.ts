import { checkFields, type LoadedRecord, NotSerialisableError, type SessionInfo } from '../sessions/index.ts';
import { holdsNothing } from './anonymous-session.ts';
import { AttachedMap } from './attached-map.ts';
import { DetachedSessions } from './detached-sessions.ts';
import type { TokenMemory } from './token-memory.ts';

/** What is known of one session of a request. */
interface SessionState {
  /** The record that it was loaded from, or saved as. */
  loaded?: LoadedRecord;
  isNew?: boolean;
  isDegraded?: boolean;
  /** Whether it is a new session of a request that acts for another one. */
  isUnneeded?: boolean;
  /** Whether the application needs it, whatever is in it. */
  isNeeded?: boolean;
}

const NO_STATE: Readonly<SessionState> = {};

/** Holds the state of the sessions of requests, as it is known without asking Redis: the record that each was loaded
 *  from, which are new, which stand in for another, and which cookies must not be sent.
 *
 *  A session goes by its values: a plain object that `RequestSessions.get` gives, or one that the framework makes. */
export class SessionStates {
  readonly #tokens: TokenMemory;
  readonly #states = new AttachedMap<SessionState>();
  readonly #detached = new DetachedSessions();

  constructor(tokens: TokenMemory) {
    this.#tokens = tokens;
  }

  /** Notes that values begin a session, so that its first save need not look for one. */
  begin(values: object): void {
    this.#change(values).isNew = true;
  }

  /** Whether values begin a session. */
  isNew(values: object): boolean {
    return this.#of(values).isNew === true;
  }

  /** Notes that a request carries this as its session's token, so that it is never taken for a public id. Call it for
   *  each token that a request comes with, or is given. */
  carry(token: string | undefined): void {
    this.#tokens.noteCarried(token);
  }

  /** Notes the record that values were loaded from, or saved as. */
  setLoaded(values: object, loaded: LoadedRecord): void {
    this.#change(values).loaded = loaded;
  }

  /** Session that values were loaded as, or were saved as since; undefined where they were neither. */
  loadedOf(values: object): LoadedRecord | undefined {
    return this.#of(values).loaded;
  }

  /** Marks values as standing in for a session that could not be read: their saves write nothing, and no cookie is sent
   *  for them. */
  degrade(values: object): void {
    this.#change(values).isDegraded = true;
  }

  /** Whether values stand in for a session that could not be read. */
  isDegraded(values: object): boolean {
    return this.#of(values).isDegraded === true;
  }

  /** Notes that a request acts for another session than this, which is new: it is not saved and no cookie is sent for it,
   *  unless the application puts something in. */
  leaveUnsaved(values: object): void {
    this.#change(values).isUnneeded = true;
  }

  /** Whether a session is not to be saved, by `leaveUnsaved`. */
  isUnneeded(values: object): boolean {
    return isUnneeded(this.#of(values), values);
  }

  /** Whether a save of values writes nothing: they stand in for another session, or are not to be saved. */
  ignoresSaves(values: object): boolean {
    const state = this.#of(values);
    return state.isDegraded === true || isUnneeded(state, values) || this.#detached.has(values);
  }

  /** Whether a touch of values renews nothing: they stand in for another session, or are anonymous. */
  ignoresTouches(values: object): boolean {
    const state = this.#of(values);
    return state.isDegraded === true || isAnonymous(state, values) || this.#detached.has(values);
  }

  /** Notes that the application needs a session, whatever is in it: it is saved, and at once for its idle time. */
  need(values: object): void {
    this.#change(values).isNeeded = true;
  }

  /** Whether a session is anonymous, in the request that begins it and as far as is known there: no user, and nothing
   *  that the application has put in. */
  isAnonymous(values: object): boolean {
    return isAnonymous(this.#of(values), values);
  }

  /** Whether a token was replaced by a rotation, as `RequestSessions.get` found it a moment ago, or is one of `standIn`.
   *  Values that an adapter makes for such a request stand in. */
  isReplaced(token: string | undefined): boolean {
    return token !== undefined && this.#tokens.isReplaced(token);
  }

  /** Notes that values are of a request whose token is replaced: nothing of them is saved and no cookie is sent, until
   *  `identify` or `rotate` makes a session of its own of them. `token`: theirs, in place of the replaced one. */
  standIn(values: object, token?: string): void {
    this.#detached.add(values);
    if (token !== undefined) this.#tokens.noteStandIn(token, true);
  }

  /** Whether values stand in for the session of a replaced secret. */
  isStandIn(values: object): boolean {
    return this.#detached.has(values);
  }

  /** Runs `work` with values as a session of its own, if they stand in; see DetachedSessions. */
  asOwn<Result>(values: object, work: () => Promise<Result>): Promise<Result> {
    return this.#detached.asOwn(values, () => this.begin(values), work);
  }

  /** Notes that values are a session of its own for good, after a login. */
  settle(values: object): void {
    this.#detached.settle(values);
  }

  /** Copies the state of `from` to `to`, which takes its place. */
  copy(from: object, to: object): void {
    const { loaded, isDegraded, isNew } = this.#of(from);
    if (loaded || isDegraded || isNew) {
      const state = this.#change(to);
      if (loaded) state.loaded = loaded;
      if (isDegraded) state.isDegraded = true;
      if (isNew) state.isNew = true;
    }
    this.#detached.handOver(from, to);
  }

  /** Whether the response must not carry the session's cookie: the request came with a replaced secret, or with one that
   *  this process has replaced since, or its session is degraded or not needed. Rotations by other processes are seen by
   *  `RequestSessions.isCurrent` only. */
  suppressesCookie(values: object): boolean {
    const { loaded, isDegraded } = this.#of(values);
    if (isDegraded || this.#detached.has(values) || this.isUnneeded(values)) return true;
    if (!loaded) return false;
    return loaded.byPreviousSecret || this.#tokens.isReplacedSecret(loaded.header.secret);
  }

  /** Returns a session's times, version and user; undefined where it was never saved. */
  infoOf(values: object): SessionInfo | undefined {
    const { loaded } = this.#of(values);
    if (!loaded) return undefined;
    const { createdAt, lastSeenAt, expiresAt, version } = loaded.header;
    const { session, byPreviousSecret } = loaded;
    const userId = byPreviousSecret ? undefined : loaded.userId;
    return { session, userId, createdAt, lastSeenAt, expiresAt, version, byPreviousSecret };
  }

  /** Checks whether values can be saved. A field that cannot is put back to what was loaded, so that the answer to the
   *  error can be sent, and the rest be saved.
   *  @throws NotSerialisableError that names the first such field. */
  checkFields(values: object): void {
    let first: NotSerialisableError | undefined;
    for (;;) {
      try {
        checkFields(values);
        break;
      } catch (error) {
        if (!(error instanceof NotSerialisableError)) throw error;
        first ??= error;
        const json = this.#of(values).loaded?.fields.get(error.field);
        if (json === undefined) delete (values as Record<string, unknown>)[error.field];
        else (values as Record<string, unknown>)[error.field] = JSON.parse(json);
      }
    }
    if (first) throw first;
  }

  #of(values: object): Readonly<SessionState> {
    return this.#states.get(values) ?? NO_STATE;
  }

  #change(values: object): SessionState {
    let state = this.#states.get(values);
    if (!state) {
      state = {};
      this.#states.set(values, state);
    }
    return state;
  }
}

function isUnneeded(state: SessionState, values: object): boolean {
  return state.isUnneeded === true && !state.isNeeded && !state.loaded && holdsNothing(values);
}

function isAnonymous({ isNew, isNeeded, loaded }: SessionState, values: object): boolean {
  return isNew === true && !isNeeded && loaded?.userId === undefined && holdsNothing(values);
}
