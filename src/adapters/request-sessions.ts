import { EventEmitter } from 'node:events';
import { Turns } from '../async/serial-queue.ts';
import { checkOptions, type OptionForms } from '../protocol/check-options.ts';
import { isSession, sessionOf } from '../protocol/index.ts';
import {
  checkFields,
  type LoadedSession,
  NotSerialisableError,
  SESSION_DATA_OPTIONS,
  SessionData,
  SessionGoneError,
  type SessionInfo,
  type SetIfOutcome,
  StoreUnavailableError,
  writeField,
} from '../sessions/index.ts';
import { holdsNothing } from './anonymous-session.ts';
import type { CurrentSession } from './current-session.ts';
import type { DegradedOperation } from './degraded-operation.ts';
import { rebaseField } from './rebase-field.ts';
import type { SessionStoreEvents } from './session-store-events.ts';
import type { SessionStoreOptions } from './session-store-options.ts';
import { StandIns } from './stand-ins.ts';

/** What the objects that hold a session within a request, one after the other, have in common. */
interface Holding {
  /** The one that holds it now. */
  values: object;
  /** What the last rotation in this request has given it. Nobody else has it before the answer. */
  token?: string;
}

type FollowField = (
  name: string,
  result: unknown,
  rebase: (before: unknown, now: unknown, result: unknown) => unknown,
) => void;

const MOST_REMEMBERED = 10_000;
const UNREAD_MS = 60_000;
const DEFAULT_ANONYMOUS_IDLE_MS = 1_800_000;
/** What the options of a store may be; `any` is checked further down. */
const STORE_OPTIONS: OptionForms<SessionStoreOptions> = {
  ...SESSION_DATA_OPTIONS,
  anonymousIdleMs: 'any',
  fail: '"closed"|"open"',
};

/** The sessions that requests hold, as the stores of the web frameworks need them: what each was loaded as, which are
 *  new, and which stand in for one that could not be read. */
export class RequestSessions extends EventEmitter<SessionStoreEvents> {
  readonly data: SessionData;
  readonly #failsOpen: boolean;
  readonly #anonymousIdleMs: number;
  readonly #isTaken: (name: string) => boolean;
  readonly #loaded = new WeakMap<object, LoadedSession>();
  readonly #new = new WeakSet<object>();
  readonly #degraded = new WeakSet<object>();
  readonly #holdings = new WeakMap<object, Holding>();
  /** Saves and operations, by what they are of. */
  readonly #turns = new Turns();
  /** New sessions of requests that act for another one. */
  readonly #unneeded = new WeakSet<object>();
  /** Sessions that the application needs, whatever is in them. */
  readonly #needed = new WeakSet<object>();
  readonly #standIns = new StandIns();
  /** Tokens that were found to be replaced. */
  readonly #replacedTokens = new Map<string, true>();
  /** Tokens that sessions got which stand in for one whose secret was replaced. */
  readonly #standInTokens = new Map<string, true>();
  /** Hashes of secrets that this process has replaced, the latest last. */
  readonly #replaced = new Map<string, true>();
  /** Tokens of requests that have the form of public ids. */
  readonly #carried = new Map<string, true>();
  /** Tokens of sessions that could not be read, and when. */
  readonly #unread = new Map<string, number>();

  /** `isTaken`: names that the framework's sessions use themselves; a field of such a name stays where it is, unseen.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
  constructor(options: SessionStoreOptions, isTaken: (name: string) => boolean) {
    super();
    checkOptions('The session store', options, STORE_OPTIONS);
    this.#isTaken = isTaken;
    const { fail = 'closed', anonymousIdleMs = DEFAULT_ANONYMOUS_IDLE_MS, ...dataOptions } = options;
    if (!Number.isInteger(anonymousIdleMs) || anonymousIdleMs < 1) {
      throw new RangeError(`anonymousIdleMs ${String(anonymousIdleMs)} cannot be used: give a whole number from 1.`);
    }
    if (fail !== 'closed' && fail !== 'open') {
      throw new RangeError(`fail ${JSON.stringify(fail)} cannot be used: give "closed" or "open".`);
    }
    this.#failsOpen = fail === 'open';
    this.#anonymousIdleMs = anonymousIdleMs;
    this.data = new SessionData(dataOptions);
    this.data.on('store:down', (error) => this.emit('store:down', error));
    this.data.on('store:up', () => this.emit('store:up'));
  }

  /** Reads a session's values; undefined where there is none. In a store that fails open, values that are marked as
   *  degraded where it could not be read. */
  async get(token: string): Promise<object | undefined> {
    try {
      const loaded = await this.data.find(token);
      this.#unread.delete(token);
      if (loaded === 'replaced') {
        remember(this.#replacedTokens, token, true);
        return undefined;
      }
      this.#replacedTokens.delete(token);
      if (!loaded) return undefined;
      for (const name of loaded.fields.keys()) if (this.#isTaken(name)) loaded.hidden.add(name);
      const values = loaded.values(this.data.now(loaded.session));
      this.#loaded.set(values, loaded);
      return values;
    } catch (error) {
      if (error instanceof StoreUnavailableError) remember(this.#unread, token, performance.now());
      if (!this.#tolerates('get', error)) throw error;
      const values = {};
      this.#degraded.add(values);
      return values;
    }
  }

  /** Saves what was changed since the values were loaded. */
  async set(token: string, values: object): Promise<void> {
    if (this.#degraded.has(values) || this.#standIns.has(values) || this.isUnneeded(values)) return;
    if (this.#isAnonymous(values) && this.#loaded.has(values) && this.isUnchanged(values)) return;
    try {
      if (this.#mayBePublicId(token, values)) await this.#refuseIfPublicId(token);
      await this.#takeTurn({ token, values }, async (current) => {
        const loaded = await this.data.save(current.token, current.values, this.#loaded.get(current.values), {
          isNew: this.#new.has(current.values),
          ...(this.#isAnonymous(current.values) && { mostIdleMs: this.#anonymousIdleMs }),
        });
        if (loaded) this.#loaded.set(current.values, loaded);
      });
    } catch (error) {
      if (!this.#tolerates('set', error)) throw error;
    }
  }

  /** Renews a session; mostly it sends nothing. */
  async touch(token: string, values: object): Promise<void> {
    // Of an anonymous session only a second request moves the end.
    if (this.#degraded.has(values) || this.#standIns.has(values) || this.#isAnonymous(values)) return;
    try {
      if (this.#mayBePublicId(token, values)) await this.#refuseIfPublicId(token);
      await this.data.touch(token, values, this.#loaded.get(values));
    } catch (error) {
      if (!this.#tolerates('touch', error)) throw error;
    }
  }

  /** Ends a session, for good: by its token, or by the public id that tools have from a list of all. A public id ends the
   *  session only where no request carries it as its token: what a client sent ends nobody else's session.
   *
   *  It does not end a session whose last read has failed less than a minute ago. Nobody has seen it, and express-session
   *  with `unset: 'destroy'` ends the session of every request that it could not read. Nor one whose secret was replaced:
   *  who logs out with that must not be told that it is done.
   *  @throws StoreUnavailableError; SessionGoneError where the token was replaced. */
  async end(id: string): Promise<void> {
    if (!(await this.#end(id)) && (await this.#wasReplaced(id))) throw new SessionGoneError('The end of the session');
  }

  /** As `end`, for what begins another session in its place: whoever came with a replaced secret may do that too. */
  async endForAnother(id: string): Promise<void> {
    await this.#end(id);
  }

  /** Says that a request carries this as its session's token, so that it is never taken for a public id. */
  carry(token: string | undefined): void {
    if (isPublicForm(token)) remember(this.#carried, token, true);
  }

  /** What values were loaded as, or were saved as since. */
  loadedOf(values: object): LoadedSession | undefined {
    return this.#loaded.get(values);
  }

  /** Whether values stand in for a session that could not be read. */
  isDegraded(values: object): boolean {
    return this.#degraded.has(values);
  }

  /** Says that a request acts for another session than this, which is new: nothing is saved for it, and no cookie is
   *  sent, unless the application puts something in. */
  leaveUnsaved(values: object): void {
    this.#unneeded.add(values);
  }

  /** Whether a session is one that nobody needs, by `leaveUnsaved`. */
  isUnneeded(values: object): boolean {
    return this.#unneeded.has(values) && !this.#needed.has(values) && !this.#loaded.has(values) && holdsNothing(values);
  }

  /** Says that the application needs a session, whatever is in it: it is saved, and at once for its idle time. */
  need(values: object): void {
    this.#needed.add(values);
  }

  /** Renews an anonymous session at its second request, where the framework has not. */
  async renewAnonymous(token: string, values: object): Promise<void> {
    const loaded = this.#loaded.get(values);
    const isRenewed = loaded?.facts.lastSeenAt !== loaded?.facts.createdAt;
    if (!loaded || isRenewed || this.#new.has(values) || loaded.userId !== undefined || !holdsNothing(values)) return;
    await this.touch(token, values);
  }

  /** Whether no cookie may be sent for it: the request came with a replaced secret, or with one that this process has
   *  replaced since, or its session is degraded or not needed. */
  suppressesCookie(values: object): boolean {
    if (this.#degraded.has(values) || this.#standIns.has(values) || this.isUnneeded(values)) return true;
    const loaded = this.#loaded.get(values);
    if (!loaded) return false;
    return loaded.byPreviousSecret || this.#replaced.has(loaded.facts.secret.toString('latin1'));
  }

  /** Whether a token's secret is the session's current one, as Redis has it now. False as well where that cannot be
   *  learned in time: a cookie that is in doubt is not sent. */
  isCurrent(token: string): Promise<boolean> {
    return this.data.isCurrent(token).catch(() => false);
  }

  /** Whether values are what they were loaded as. */
  isUnchanged(values: object): boolean {
    const loaded = this.#loaded.get(values);
    return loaded !== undefined && this.data.isUnchanged(values, loaded);
  }

  /** Sees whether values can be saved. A field that cannot is put back to what was loaded, so that the answer to the
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
        const json = this.#loaded.get(values)?.fields.get(error.field);
        if (json === undefined) delete (values as Record<string, unknown>)[error.field];
        else (values as Record<string, unknown>)[error.field] = JSON.parse(json);
      }
    }
    if (first) throw first;
  }

  /** Says that values begin a session, so that its first save need not look for one. */
  begin(values: object): void {
    this.#new.add(values);
  }

  /** Whether `get` has found this token to be replaced by a rotation, a moment ago, or it is one of `standInAs`. */
  isReplaced(token: string | undefined): boolean {
    return token !== undefined && (this.#replacedTokens.has(token) || this.#standInTokens.has(token));
  }

  /** Says that values are of a request whose token is replaced; see StandIns. `identify` and `rotate` are what makes a
   *  session of its own of them. */
  standIn(values: object): void {
    this.#standIns.add(values);
  }

  /** Says which token values have that stand in for a session: one of their own, in place of the replaced one. */
  standInAs(token: string): void {
    remember(this.#standInTokens, token, true);
  }

  /** Whether values stand in for the session of a replaced secret. */
  isStandIn(values: object): boolean {
    return this.#standIns.has(values);
  }

  /** Says that `to` holds the session from now on. */
  handOver(from: object, to: object): void {
    const holding = this.#holdingOf(from);
    holding.values = to;
    this.#holdings.set(to, holding);
    const loaded = this.#loaded.get(from);
    if (loaded) this.#loaded.set(to, loaded);
    if (this.#degraded.has(from)) this.#degraded.add(to);
    this.#standIns.handOver(from, to);
    if (this.#new.has(from)) this.#new.add(to);
  }

  /** Gives a session another secret, when what was asked for before is done. `adopt` is given the token with it, and who
   *  holds the session now; what was asked for afterwards is done behind that. */
  rotate(
    asked: CurrentSession,
    { grace }: { readonly grace?: boolean },
    adopt: (token: string, values: object) => void,
  ): Promise<void> {
    return this.#takeTurn(asked, (current) =>
      this.#asOwn(current.values, async () => {
        const loaded = await this.#saved(current);
        const before = loaded.facts.secret.toString('latin1');
        const holding = this.#holdingOf(current.values);
        const unsent = holding.token !== undefined;
        holding.token = await this.data.rotate(current.token, { grace, unsent }, loaded);
        remember(this.#replaced, before, true);
        adopt(holding.token, current.values);
      }),
    );
  }

  /** See `SessionData.identify`. */
  identify(asked: CurrentSession, userId: string, device: string | undefined): Promise<string[]> {
    return this.#takeTurn(asked, (current) =>
      this.#asOwn(current.values, async () => {
        const loaded = await this.#saved(current);
        const ended = await this.data.identify(current.token, userId, { device }, loaded);
        this.#standIns.settle(current.values);
        return ended;
      }),
    );
  }

  /** See `SessionData.increment`; what the values changed of the field comes first, and they follow. */
  increment(asked: CurrentSession, field: string, by: number): Promise<number> {
    return this.#operate(asked, [field], async (current, loaded, follow) => {
      const sum = await this.data.increment(current.token, field, by, loaded, current.values);
      follow(field, sum, rebaseField);
      return sum;
    });
  }

  /** See `SessionData.append`; what the values changed of the field comes first, and they follow. */
  append(asked: CurrentSession, field: string, added: readonly unknown[]): Promise<unknown[]> {
    return this.#operate(asked, [field], async (current, loaded, follow) => {
      const list = await this.data.append(current.token, field, added, loaded, current.values);
      follow(field, list, (before, now, result) => rebaseField(before, now, result, added.length));
      return list;
    });
  }

  /** See `SessionData.setIf`; the values follow. What they had changed of these fields is no more. */
  setIf(asked: CurrentSession, version: number, changed: Readonly<Record<string, unknown>>): Promise<SetIfOutcome> {
    return this.#operate(asked, Object.keys(changed), async (current, loaded, follow) => {
      const outcome = await this.data.setIf(current.token, version, changed, loaded);
      if (outcome.applied) for (const [name, value] of Object.entries(changed)) follow(name, value, (_, now) => now);
      return outcome;
    });
  }

  /** What is known of a session beside its data; undefined where it was never saved. */
  infoOf(values: object): SessionInfo | undefined {
    const loaded = this.#loaded.get(values);
    if (!loaded) return undefined;
    const { createdAt, lastSeenAt, expiresAt, version } = loaded.facts;
    const { session, byPreviousSecret } = loaded;
    const userId = byPreviousSecret ? undefined : loaded.userId;
    return { session, userId, createdAt, lastSeenAt, expiresAt, version, byPreviousSecret };
  }

  /** When the session must end, whatever is done with it, in milliseconds of the epoch by this process's clock;
   *  undefined for never. It counts from the first save, which for a new one is now. */
  lastMoment(values: object): number | undefined {
    const { absoluteMs } = this.data;
    if (absoluteMs === 0) return undefined;
    const loaded = this.#loaded.get(values);
    const leftMs = loaded ? loaded.facts.createdAt + absoluteMs - this.data.now(loaded.session) : absoluteMs;
    return Date.now() + Math.max(0, leftMs);
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    await this.data.close();
    this.removeAllListeners();
  }

  // `follow` gives a field what the operation made of it; where the application has changed it meanwhile, `rebase` says
  // what it is.
  #operate<Result>(
    asked: CurrentSession,
    names: readonly string[],
    work: (current: CurrentSession, loaded: LoadedSession, follow: FollowField) => Promise<Result>,
  ): Promise<Result> {
    return this.#takeTurn(asked, async (current) => {
      const values = current.values as Record<string, unknown>;
      const loaded = await this.#saved(current);
      const before = new Map(names.map((name) => [name, writeField(name, values[name])]));
      return work(current, loaded, (name, result, rebase) => {
        const json = before.get(name);
        const value = isStill(json, values[name])
          ? result
          : rebase(json === undefined ? undefined : JSON.parse(json), values[name], result);
        if (value === undefined) delete values[name];
        else values[name] = value;
      });
    });
  }

  // One after the other on the same session of a request: the next one compares with what this one has left, and goes on
  // with the token and the object that a rotation has given.
  #takeTurn<Result>(asked: CurrentSession, work: (current: CurrentSession) => Promise<Result>): Promise<Result> {
    const holding = this.#holdingOf(asked.values);
    return this.#turns.take(holding, () => {
      const { values, token } = holding;
      const isOfAnother = token === undefined || sessionOf(token) !== sessionOf(asked.token);
      return work({ values, token: isOfAnother ? asked.token : token });
    });
  }

  #holdingOf(values: object): Holding {
    let holding = this.#holdings.get(values);
    if (!holding) {
      holding = { values };
      this.#holdings.set(values, holding);
    }
    return holding;
  }

  // Whether something lived until now, or was named by its public id.
  async #end(id: string): Promise<boolean> {
    const failedAt = this.#unread.get(id);
    if (failedAt !== undefined && performance.now() - failedAt < UNREAD_MS) {
      throw new StoreUnavailableError('The session could not be read, so it was not ended.');
    }
    // A framework's own tokens can have the form of a public id, so that is the second thing to try.
    if (await this.data.end(id)) return true;
    if (!isPublicForm(id) || this.#carried.has(id)) return false;
    await this.data.end({ session: id });
    return true;
  }

  async #wasReplaced(token: string): Promise<boolean> {
    if (this.#standInTokens.has(token)) return true;
    const found = await this.data.find(token);
    return found === 'replaced' || found?.byPreviousSecret === true;
  }

  // Of values that no request has loaded or begun: what a tool has from a list of all sessions.
  #mayBePublicId(token: string, values: object): boolean {
    return isPublicForm(token) && !this.#carried.has(token) && !this.#loaded.has(values) && !this.#new.has(values);
  }

  async #refuseIfPublicId(id: string): Promise<void> {
    if (!(await this.data.isLiving(id))) return;
    throw new RangeError(
      'This is the public id of a session, and no token: nothing was written. Change its fields by store.data, which takes { session }: increment, append, setIf.',
    );
  }

  async #saved({ token, values }: CurrentSession): Promise<LoadedSession> {
    if (this.#degraded.has(values)) {
      throw new StoreUnavailableError('The session could not be read, so it cannot be changed either.');
    }
    if (this.#standIns.has(values)) throw new SessionGoneError('The change');
    const before = this.#loaded.get(values);
    if (before) return before;
    this.need(values);
    const loaded = await this.data.save(token, values, undefined, { isNew: this.#new.has(values) });
    if (!loaded) throw new SessionGoneError('The first save of the session');
    this.#standInTokens.delete(token);
    this.#loaded.set(values, loaded);
    return loaded;
  }

  // In the request that begins it, and as far as is known there.
  #isAnonymous(values: object): boolean {
    if (!this.#new.has(values) || this.#needed.has(values)) return false;
    return this.#loaded.get(values)?.userId === undefined && holdsNothing(values);
  }

  #asOwn<Result>(values: object, work: () => Promise<Result>): Promise<Result> {
    return this.#standIns.asOwn(values, () => this.#new.add(values), work);
  }

  #tolerates(operation: DegradedOperation['operation'], error: unknown): boolean {
    if (!this.#failsOpen || !(error instanceof StoreUnavailableError)) return false;
    this.emit('degraded', { operation, error });
    return true;
  }
}

function isPublicForm(id: string | undefined): id is string {
  return typeof id === 'string' && isSession(id);
}

function isStill(json: string | undefined, value: unknown): boolean {
  try {
    return JSON.stringify(value) === json;
  } catch {
    return false;
  }
}

// The latest last; the oldest goes.
function remember<Key, Value>(memory: Map<Key, Value>, key: Key, value: Value): void {
  memory.delete(key);
  memory.set(key, value);
  if (memory.size > MOST_REMEMBERED) memory.delete(memory.keys().next().value as Key);
}
