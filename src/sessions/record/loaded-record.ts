import { SessionDataError } from '../errors/session-data-error.ts';
import { applyChanges, changesBetween, type FieldChange, type IntegerDeltas } from './field-changes.ts';
import { LoadedSession } from './loaded-session.ts';
import { type RecordHeader, readHeader } from './record-header.ts';
import { readFields, type SessionFields, USER_FIELD } from './session-fields.ts';
import type { SessionInfo } from './session-info.ts';

/** A loaded session: the fields and the header that a save compares with. */
export class LoadedRecord extends LoadedSession {
  /** The public id. */
  readonly session: string;
  /** Whether it was read by the previous secret: then it is the session as it was before the rotation, and
   *  read-only. */
  readonly byPreviousSecret: boolean;
  /** Fields that `values` leaves out. A save does not delete them, though the application's values lack them. */
  readonly hidden: Set<string> = new Set();
  #fields: SessionFields;
  #headerBytes: Buffer;
  #header: RecordHeader;
  #isStale = false;
  #cookieEndGiven = 0;

  constructor(
    session: string,
    headerBytes: Buffer,
    fields: SessionFields,
    byPreviousSecret: boolean,
    header: RecordHeader = readHeader(headerBytes),
  ) {
    super();
    this.session = session;
    this.byPreviousSecret = byPreviousSecret;
    this.#fields = fields;
    this.#headerBytes = headerBytes;
    this.#header = header;
  }

  /** The JSON of each field: as loaded, with the application's own changes since. */
  get fields(): SessionFields {
    return this.#fields;
  }

  /** The header as this process last saw it in Redis, in bytes. */
  get headerBytes(): Buffer {
    return this.#headerBytes;
  }

  /** The header as this process last saw it in Redis. */
  get header(): RecordHeader {
    return this.#header;
  }

  /** Whether another process has changed fields since the load. Then a save must send its differences and not replace
   *  the record: their changes are not known here. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Takes over the result of an own operation: the new header and the changes that it made. The record becomes stale
   *  where the header is more versions ahead than these changes explain, or has another secret or user than `now` says.
   *  Encrypted fields are never bound to a secret or user that was only read off a header. */
  applyWrite(
    headerBytes: Buffer,
    changes?: readonly FieldChange[],
    now: { readonly secret?: Buffer; readonly user?: string } = {},
  ): void {
    const header = readHeader(headerBytes);
    const { secret = this.#header.secret, user = this.#header.user } = now;
    const expected = (this.#header.version + (changes ? 1 : 0)) >>> 0;
    this.#isStale ||= header.version !== expected || header.user !== user || !header.secret.equals(secret);
    if (changes) this.#fields = applyChanges(this.#fields, changes);
    this.#headerBytes = headerBytes;
    this.#header = header;
  }

  /** The application's values. `cookie.expires` is as saved; where it has passed because renewals are throttled, it
   *  is the session's end. `now`: milliseconds of the epoch by Redis's clock. */
  values(now: number): Record<string, unknown> {
    const { cookieExpiresAt, expiresAt } = this.#header;
    const cookieEnds = cookieExpiresAt === 0 || cookieExpiresAt > now ? cookieExpiresAt : expiresAt;
    this.#cookieEndGiven = cookieEnds;
    try {
      return readFields(this.fields, this.hidden, cookieEnds);
    } catch {
      throw new SessionDataError(
        `The data of session ${this.session} hold a field that is no JSON; they were left as they are.`,
      );
    }
  }

  /** The changes from the loaded fields to `fields`; see `changesBetween`. */
  changesTo(fields: SessionFields, integerDeltas: IntegerDeltas): FieldChange[] {
    return changesBetween(this.#fields, fields, { integerDeltas, hidden: this.hidden });
  }

  /** The `cookie.expires` that `values` gave, in milliseconds of the epoch; 0 for none. */
  get cookieEndGiven(): number {
    return this.#cookieEndGiven;
  }

  /** The user's id, as `identify` was given it. */
  get userId(): string | undefined {
    const json = this.fields.get(USER_FIELD);
    return json === undefined ? undefined : (JSON.parse(json) as string);
  }

  /** The part that applications may read. */
  get info(): SessionInfo {
    const { session, byPreviousSecret } = this;
    const { createdAt, lastSeenAt, expiresAt, version } = this.#header;
    const userId = byPreviousSecret ? undefined : this.userId;
    return { session, userId, createdAt, lastSeenAt, expiresAt, version, byPreviousSecret };
  }
}

/** Reads a handle that a caller gave back.
 *  @throws TypeError for anything else. */
export function recordOf(loaded: LoadedSession): LoadedRecord {
  if (loaded instanceof LoadedRecord) return loaded;
  throw new TypeError('This is no loaded session: give what load(), find() or save() returned.');
}
