import { SessionDataError } from '../errors/session-data-error.ts';
import type { SessionInfo } from '../session-info.ts';
import { applyChanges, changesBetween, type FieldChange, type IntegerDeltas } from './field-changes.ts';
import { LoadedSession } from './loaded-session.ts';
import { type RecordHeader, readHeader } from './record-header.ts';
import { readFields, type SessionFields, USER_FIELD } from './session-fields.ts';

/** What the store knows of a loaded session: the fields and the header that a save compares with. */
export class LoadedRecord extends LoadedSession {
  /** The public id. */
  readonly session: string;
  /** Whether it came with the previous secret: then it is what was there before the rotation, and nothing of it can be
   *  saved. */
  readonly byPreviousSecret: boolean;
  /** Fields that the application was not shown; their absence says nothing. */
  readonly hidden: Set<string> = new Set();
  #fields: SessionFields;
  #headerBytes: Buffer;
  #header: RecordHeader;
  #isStale = false;
  #cookieEndGiven = 0;

  constructor(session: string, headerBytes: Buffer, fields: SessionFields, byPreviousSecret: boolean) {
    super();
    this.session = session;
    this.byPreviousSecret = byPreviousSecret;
    this.#fields = fields;
    this.#headerBytes = headerBytes;
    this.#header = readHeader(headerBytes);
  }

  /** The JSON of each field, as the application has it: what was loaded, and its own changes since. */
  get fields(): SessionFields {
    return this.#fields;
  }

  /** The header's bytes, as they are known to be in Redis. */
  get headerBytes(): Buffer {
    return this.#headerBytes;
  }

  get header(): RecordHeader {
    return this.#header;
  }

  /** Whether others have changed fields since. Then a save must not replace the whole: what they wrote is not known
   *  here. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Takes over what an operation of the application's has left in Redis: the header now, and the changes that it made.
   *  A header that is more versions ahead than the changes account for is a sign that others were there; so is another
   *  secret or user than `now` says, and what is sealed is never bound to one that was only read off a header. */
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

  /** What the application sees. `cookie.expires` is what was given, or, where that has passed while the session was
   *  renewed only now and then, when the session ends. `now`: by Redis's clock, for that. */
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

  /** The changes that lead from what was loaded to `fields`; see `changesBetween`. */
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

/** The record behind what a caller hands back.
 *  @throws TypeError for anything else. */
export function recordOf(loaded: LoadedSession): LoadedRecord {
  if (loaded instanceof LoadedRecord) return loaded;
  throw new TypeError('This is no loaded session: give what load(), find() or save() returned.');
}
