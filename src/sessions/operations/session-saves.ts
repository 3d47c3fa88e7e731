import type { BoundedOperation } from '../connection/bounded-operation.ts';
import type { StoreConnection } from '../connection/store-connection.ts';
import type { ExpiryOptions } from '../expiry/expiry-policy.ts';
import { type LoadedRecord, recordOf } from '../record/loaded-record.ts';
import type { LoadedSession } from '../record/loaded-session.ts';
import { type CookieExpiry, type SessionFields, writeFields } from '../record/session-fields.ts';
import { credentialOf } from '../tokens/session-reference.ts';
import type { TokenCredential } from '../tokens/token-credential.ts';
import type { SessionRecords } from './session-records.ts';

/** How a session is saved. */
export interface SaveOptions {
  /** Whether the session begins with this save, so that none is looked for. Default false. */
  readonly isNew?: boolean;
  /** The longest idle time of a session that this save makes, in milliseconds, until it is next saved or touched.
   *  Default: that of its cookie or of the store. */
  readonly mostIdleMs?: number;
}

interface WrittenFields {
  readonly fields: SessionFields;
  readonly cookie: CookieExpiry | undefined;
}

/** Saves and renews sessions: decides which fields changed, and when the session ends by its cookie. */
export class SessionSaves {
  readonly #connection: StoreConnection;
  readonly #records: SessionRecords;

  constructor(connection: StoreConnection, records: SessionRecords) {
    this.#connection = connection;
    this.#records = records;
  }

  /** Saves values; `loaded`: the same session as it was loaded. Returns what later saves compare with; undefined where
   *  nothing was written, because the session has ended or the token is not its own.
   *  @throws StoreUnavailableError, NotSerialisableError */
  save(
    token: string,
    values: object,
    session: LoadedSession | undefined,
    options: SaveOptions,
  ): Promise<LoadedRecord | undefined> {
    // No async function, here and in what it calls for a loaded session: a page saves one with each change.
    try {
      const credential = credentialOf(token);
      const loaded = session && recordOf(session);
      const written = writeFields(values);
      if (loaded?.byPreviousSecret) return Promise.resolve(undefined);
      if (loaded?.session !== credential.session) return this.#saveOther(credential, written, options);
      return this.#run(credential, (redis) => {
        const { expiryPolicy } = this.#records;
        const expiry = isOldCookie(written, loaded)
          ? expiryPolicy.expiryForAge(maxAgeOf(values))
          : expiryPolicy.expiryFor(written.cookie?.expiresAt);
        return this.#change(redis, credential, loaded, written, true, expiry);
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Saves a session that was not loaded. */
  #saveOther(
    credential: TokenCredential,
    written: WrittenFields,
    { isNew, mostIdleMs }: SaveOptions,
  ): Promise<LoadedRecord | undefined> {
    return this.#run(credential, async (redis) => {
      const { expiryPolicy } = this.#records;
      const before = isNew ? undefined : await this.#records.load(redis, credential);
      const end = written.cookie?.expiresAt;
      if (before) return this.#change(redis, credential, before, written, false, expiryPolicy.expiryFor(end));
      return this.#records.put(redis, credential, written.fields, expiryPolicy.expiryFor(end, mostIdleMs));
    });
  }

  /** Renews a session. Of `values` only the cookie counts; without one that of `loaded` does, whose age counts from
   *  now. Sends nothing where the session was renewed less than `touchEveryMs` ago. False where the session has
   *  ended.
   *  @throws StoreUnavailableError, NotSerialisableError */
  async touch(
    credential: TokenCredential,
    values: { readonly cookie?: unknown },
    loaded: LoadedRecord | undefined,
  ): Promise<boolean> {
    if (loaded?.byPreviousSecret) return false;
    const { fields, cookie } = writeFields({ cookie: values.cookie });
    const { expiryPolicy } = this.#records;
    const reusesCookie = values.cookie === undefined && loaded !== undefined && loaded.header.cookieExpiresAt !== 0;
    const expiry = reusesCookie
      ? expiryPolicy.expiryForAge(maxAgeOf(loaded.values(expiryPolicy.now(loaded.session))))
      : expiryPolicy.expiryFor(cookie?.expiresAt);
    if (!expiry) return true;
    const json = fields.get('cookie');
    if (loaded && json !== undefined && json !== loaded.fields.get('cookie')) {
      const changes = [{ name: 'cookie', set: json }];
      return this.#run(credential, (redis) => this.#records.change(redis, credential, loaded, changes, expiry));
    }
    if (loaded && expiryPolicy.isFresh(loaded, expiry)) return true;
    return this.#run(credential, (redis) => this.#records.touch(redis, credential, loaded, expiry));
  }

  /** Whether a save of `values` would write no field: then a touch is enough.
   *  @throws NotSerialisableError */
  isUnchanged(values: object, loaded: LoadedRecord): boolean {
    return loaded.changesTo(writeFields(values).fields, false).length === 0;
  }

  #change(
    redis: BoundedOperation,
    credential: TokenCredential,
    before: LoadedRecord,
    { fields }: WrittenFields,
    isLoaded: boolean,
    expiry: ExpiryOptions | undefined,
  ): Promise<LoadedRecord | undefined> {
    // Jobs and webhooks save without a cookie: that is no visit, and the cookie's time stays as it is.
    const isVisit = fields.has('cookie') || !before.fields.has('cookie');
    if (!isVisit) before.hidden.add('cookie');
    const changes = before.changesTo(fields, isLoaded && this.#records.settings.integerDeltas);
    return this.#records
      .change(redis, credential, before, changes, isVisit ? expiry : undefined)
      .then((isWritten) => (isWritten ? before : undefined));
  }

  #run<Result>(credential: TokenCredential, work: (redis: BoundedOperation) => Promise<Result>): Promise<Result> {
    return this.#connection.run((redis) => this.#records.write(redis, credential, () => work(redis)), {
      key: this.#records.keys.record(credential.session),
    });
  }
}

/** Whether a cookie still has the time that it was loaded with: no response renewed it. */
function isOldCookie({ cookie }: WrittenFields, base: LoadedRecord): boolean {
  if (!cookie || cookie.expiresAt === 0) return false;
  return cookie.expiresAt === base.cookieEndGiven;
}

function maxAgeOf(values: object): unknown {
  return (values as { cookie?: { originalMaxAge?: unknown } }).cookie?.originalMaxAge;
}
