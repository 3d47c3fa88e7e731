import { EventEmitter } from 'node:events';
import type { ConsumeOptions } from '../consumers/index.ts';
import { createToken } from '../protocol/index.ts';
import {
  type LifecycleEvent,
  type LoadedSession,
  type SessionData,
  type SessionInfo,
  type SetIfOutcome,
  writeField,
} from '../sessions/index.ts';
import { AttachedMap } from './attached-map.ts';
import type { CurrentSession } from './current-session.ts';
import { deviceLabel } from './http/device-label.ts';
import { rebaseField } from './rebase-field.ts';
import { RequestSessions } from './request-sessions.ts';
import type { SessionStoreEvents } from './session-store-events.ts';
import type { SessionStoreOptions } from './session-store-options.ts';

/** Fields of a session, by any name. */
export type AnyFields = Readonly<Record<string, unknown>>;

/** The names of the fields that a site declares. */
type OwnName<Fields> = Exclude<keyof Fields, 'cookie' | keyof SessionOperations>;

/** The names of the fields that can hold a `Value`; any name where the site declares no fields of its own. */
export type FieldName<Fields, Value> = string extends keyof Fields
  ? string
  : [OwnName<Fields>] extends [never]
    ? string
    : { [Name in OwnName<Fields>]-?: NonNullable<Fields[Name]> extends Value ? Name : never }[OwnName<Fields>] & string;

/** What a list of a session holds. */
export type ElementOf<Fields, Name> = Name extends keyof Fields
  ? NonNullable<Fields[Name]> extends readonly (infer Element)[]
    ? Element
    : unknown
  : unknown;

/** Values for some fields of a session. */
export type FieldValues<Fields> = string extends keyof Fields
  ? AnyFields
  : [OwnName<Fields>] extends [never]
    ? AnyFields
    : { readonly [Name in OwnName<Fields>]?: Fields[Name] | undefined };

/** Operations on the session of a request: methods of `request.session` in each framework. Those that change something
 *  run one after the other, also where none is awaited, and the save at the end of the request behind them. `Fields`: what
 *  the site declares of its sessions; then a name that is none of them does not compile. */
export interface SessionOperations<Fields = AnyFields> {
  /** Gives the session another secret: same session, same data, nothing calculated is lost. Call it at login and when
   *  rights change, before `identify`: the previous secret opens nothing from then on, and requests that are still on
   *  their way with it see no session and get no cookie. With `grace`, for rotations that go with no change of rights,
   *  they read for `graceMs` the data of before, and can change nothing. In Express `request.session` is another object
   *  afterwards, as after `regenerate`, and the old one an alias of it; in Fastify it stays the same.
   *  @throws StoreUnavailableError; SessionGoneError, also where another request has rotated since this one began;
   *  TypeError where the headers are sent: the new token would reach no browser. */
  rotate(options?: { readonly grace?: boolean }): Promise<void>;
  /** Gives the session to a user, and lists it among that user's. `device` is what the list calls it; by default it is
   *  read from the User-Agent header. Returns the sessions that had to end for it.
   *  @throws StoreUnavailableError, SessionGoneError, SessionLimitError */
  identify(userId: string, options?: { readonly device?: string }): Promise<string[]>;
  /** Adds to a number in one step, 1 by default, and returns the sum; see `SessionData.increment`.
   *  @throws StoreUnavailableError, SessionGoneError; SessionDataError where the field holds no number. */
  increment(field: FieldName<Fields, number>, by?: number): Promise<number>;
  /** Appends to a list in one step, and returns the list; see `SessionData.append`.
   *  @throws StoreUnavailableError, SessionGoneError, NotSerialisableError; SessionDataError where the field is no list. */
  append<Name extends FieldName<Fields, readonly unknown[]>>(
    field: Name,
    ...values: ElementOf<Fields, Name>[]
  ): Promise<ElementOf<Fields, Name>[]>;
  /** Sets fields if the session was not changed since it had `version`, which `info` tells; `undefined` removes a field.
   *  See `SessionData.setIf`.
   *  @throws StoreUnavailableError, SessionGoneError, NotSerialisableError */
  setIf(version: number, values: FieldValues<Fields>): Promise<SetIfOutcome>;
  /** Returns the metadata of the session; undefined if it was never saved. */
  info(): SessionInfo | undefined;
  /** Whether the session stands in for one that could not be read (`fail: 'open'`). */
  isDegraded(): boolean;
}

/** The same operations with the request before their arguments, as stores have them. */
export type RequestOperations<Request> = {
  [Verb in keyof SessionOperations]: (
    request: Request,
    ...args: Parameters<SessionOperations[Verb]>
  ) => ReturnType<SessionOperations[Verb]>;
};

const VERBS = Object.keys({
  rotate: true,
  identify: true,
  increment: true,
  append: true,
  setIf: true,
  info: true,
  isDegraded: true,
} satisfies Record<keyof SessionOperations, true>) as (keyof SessionOperations)[];

/** Sets a field to the result of an operation. Where the application has changed it meanwhile, `rebase` makes its value. */
type ApplyResult = (
  name: string,
  result: unknown,
  rebase: (before: unknown, now: unknown, result: unknown) => unknown,
) => void;

/** Session store of a framework, without its contract with the framework: the operations on the session of a request.
 *  An adapter extends it and says how its framework's requests hold their session. */
export abstract class RequestStore<Request>
  extends EventEmitter<SessionStoreEvents>
  implements RequestOperations<Request>
{
  /** The store beneath: by token or session, for code that is no request (jobs, webhooks, scripts). */
  readonly data: SessionData;
  /** Makes tokens of our own form, for the framework's option that makes ids. */
  readonly genid: () => string = () => createToken();
  protected readonly sessions: RequestSessions;
  readonly #identified = new AttachedMap<(userId: string) => void>();

  /** Begins to connect and returns; never throws because Redis is away. `isTaken`: see RequestSessions.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
  constructor(options: SessionStoreOptions, isTaken?: (name: string) => boolean) {
    super();
    this.sessions = new RequestSessions(options, isTaken);
    this.data = this.sessions.data;
    for (const event of ['store:down', 'store:up', 'mirror:failed', 'degraded'] as const) {
      this.sessions.on(event, (...args: unknown[]) => this.emit(event, ...(args as never)));
    }
  }

  /** Loops over the events of sessions' lives, by a consumer group; see `SessionData.lifecycle`.
   *  @throws ConsumerRefusedError (from the loop) where Redis refuses for good; RangeError for options that cannot be used. */
  lifecycle(options: ConsumeOptions): AsyncIterableIterator<LifecycleEvent> {
    return this.data.lifecycle(options);
  }

  /** Session that the request has now; undefined where it has none. */
  protected abstract currentSession(request: Request): CurrentSession | undefined;

  /** Values of the session that the request has now, for questions that need no token. Default: those of
   *  `currentSession`. */
  protected valuesOf(request: Request): object | undefined {
    return this.currentSession(request)?.values;
  }

  /** The request's User-Agent header. */
  protected abstract userAgentOf(request: Request): string | undefined;

  /** Called before a rotation is asked for. Returns the function that gives the request its new token, so that the
   *  response carries it; `values` is the object that holds the session by then.
   *  @throws TypeError where the response cannot carry a cookie any more: then nothing is changed. */
  protected abstract startRotation(request: Request, current: CurrentSession): (token: string, values: object) => void;

  /** Called before an operation changes the session in Redis; the operation waits for a promise. Default: nothing. */
  protected prepareChange(_request: Request, _current: CurrentSession): Promise<void> | undefined {
    return undefined;
  }

  /** Called before a session is given to a user. A function that it returns is called after that. Default: nothing. */
  protected startIdentify(_request: Request, _current: CurrentSession): (() => void) | undefined {
    return undefined;
  }

  /** Message of the TypeError where an operation finds no session. */
  protected noSessionMessage(): string {
    return 'This request has no session.';
  }

  async rotate(request: Request, options: { readonly grace?: boolean } = {}): Promise<void> {
    const adopt = this.startRotation(request, this.#required(request));
    return this.#change(request, (current) => this.sessions.rotate(current, options, adopt));
  }

  async identify(request: Request, userId: string, options: { readonly device?: string } = {}): Promise<string[]> {
    const device = options.device ?? deviceLabel(this.userAgentOf(request));
    return this.#change(request, async (current) => {
      const done = this.startIdentify(request, current);
      const ended = await this.sessions.identify(current, userId, device);
      done?.();
      this.#identified.get(request as object)?.(userId);
      return ended;
    });
  }

  // Sends an earlier change of the field by the same request with the operation, then updates the values.
  async increment(request: Request, field: string, by = 1): Promise<number> {
    return this.#changeFields(request, [field], async ({ token, values }, loaded, apply) => {
      const sum = await this.data.increment(token, field, by, loaded, values);
      apply(field, sum, rebaseField);
      return sum;
    });
  }

  async append(request: Request, field: string, ...added: unknown[]): Promise<unknown[]> {
    return this.#changeFields(request, [field], async ({ token, values }, loaded, apply) => {
      const list = await this.data.append(token, field, added, loaded, values);
      apply(field, list, (before, now, result) => rebaseField(before, now, result, added.length));
      return list;
    });
  }

  // Drops earlier changes of these fields by the same request.
  async setIf(request: Request, version: number, changed: Readonly<Record<string, unknown>>): Promise<SetIfOutcome> {
    return this.#changeFields(request, Object.keys(changed), async ({ token }, loaded, apply) => {
      const outcome = await this.data.setIf(token, version, changed, loaded);
      if (outcome.applied) for (const [name, value] of Object.entries(changed)) apply(name, value, (_, now) => now);
      return outcome;
    });
  }

  info(request: Request): SessionInfo | undefined {
    const values = this.valuesOf(request);
    return values && this.sessions.states.infoOf(values);
  }

  isDegraded(request: Request): boolean {
    const values = this.valuesOf(request);
    return values !== undefined && this.sessions.states.isDegraded(values);
  }

  /** Notes that a request acts for another session, by its bearer token: where its own is a new one, that is not saved and
   *  no cookie is sent for it, unless the application puts something in. HandleAttacher calls it. */
  leaveUnsaved(request: Request): void {
    const current = this.currentSession(request);
    if (current && !this.sessions.states.loadedOf(current.values)) this.sessions.states.leaveUnsaved(current.values);
  }

  /** Has the listener called with the user when the request's session is given to one. HandleAttacher calls it. */
  whenIdentified(request: Request, listener: (userId: string) => void): void {
    this.#identified.set(request as object, listener);
  }

  /** Ends the connection. Operations that wait are refused. */
  async close(): Promise<void> {
    await this.sessions.close();
    this.removeAllListeners();
  }

  #required(request: Request): CurrentSession {
    const current = this.currentSession(request);
    if (!current) throw new TypeError(this.noSessionMessage());
    return current;
  }

  // Within this turn where there is nothing to wait for: the save at the end of the request must find it asked for.
  #change<Result>(request: Request, work: (current: CurrentSession) => Promise<Result>): Promise<Result> {
    const current = this.#required(request);
    const prepared = this.prepareChange(request, current);
    return prepared ? prepared.then(() => work(current)) : work(current);
  }

  #changeFields<Result>(
    request: Request,
    names: readonly string[],
    work: (current: CurrentSession, loaded: LoadedSession, apply: ApplyResult) => Promise<Result>,
  ): Promise<Result> {
    return this.#change(request, (asked) =>
      this.sessions.operate(asked, (current, loaded) => {
        const values = current.values as Record<string, unknown>;
        const before = new Map(names.map((name) => [name, writeField(name, values[name])]));
        return work(current, loaded, (name, result, rebase) => {
          const json = before.get(name);
          const value = isStill(json, values[name])
            ? result
            : rebase(json === undefined ? undefined : JSON.parse(json), values[name], result);
          if (value === undefined) delete values[name];
          else values[name] = value;
        });
      }),
    );
  }
}

/** Makes the operations methods of a session: properties for the prototype of a framework's session objects, not
 *  enumerable, so that a stored field of the same name is not affected. `requestOf`: the request that a session is for.
 *  Example: `Object.create(Object.prototype, sessionMethods(store, requestOf))`. */
export function sessionMethods<Request>(
  store: RequestOperations<Request>,
  requestOf: (session: object) => Request,
): PropertyDescriptorMap {
  const property = (verb: keyof SessionOperations): PropertyDescriptor => ({
    value(this: object, ...args: unknown[]): unknown {
      return Reflect.apply(store[verb], store, [requestOf(this), ...args]);
    },
    configurable: true,
    writable: true,
  });
  return Object.fromEntries(VERBS.map((verb) => [verb, property(verb)]));
}

function isStill(json: string | undefined, value: unknown): boolean {
  try {
    return JSON.stringify(value) === json;
  } catch {
    return false;
  }
}
