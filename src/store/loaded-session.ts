import { type RecordHeader, readHeader } from './record.ts';
import { readFields, type SessionFields, USER_FIELD } from './session-fields.ts';

/** A session as it was loaded: what a save compares with. */
export class LoadedSession {
  /** The public id. */
  readonly session: string;
  /** Whether it came with the previous secret, which is honoured for a while only. */
  readonly byPreviousSecret: boolean;
  /** The JSON of each field, as it is known to be in Redis. */
  fields: SessionFields;
  /** Whether others have changed fields since: then a save must not replace the whole. */
  overtaken = false;
  /** Fields that the application was not shown; their absence says nothing. */
  readonly hidden: Set<string> = new Set();
  #header: Buffer;
  #facts: RecordHeader;

  constructor(session: string, header: Buffer, fields: SessionFields, byPreviousSecret: boolean) {
    this.session = session;
    this.fields = fields;
    this.byPreviousSecret = byPreviousSecret;
    this.#header = header;
    this.#facts = readHeader(header);
  }

  /** The header's bytes, as they are known to be in Redis. */
  get header(): Buffer {
    return this.#header;
  }

  set header(header: Buffer) {
    this.#header = header;
    this.#facts = readHeader(header);
  }

  get facts(): RecordHeader {
    return this.#facts;
  }

  /** What the application sees. `cookie.expires` is what was given, or, where that has passed while the session was
   *  renewed only now and then, when the session ends. `now`: by Redis's clock, for that. */
  values(now: number): Record<string, unknown> {
    const { cookieExpiresAt, expiresAt } = this.#facts;
    return readFields(this.fields, cookieExpiresAt === 0 || cookieExpiresAt > now ? cookieExpiresAt : expiresAt);
  }

  /** Who it belongs to, as `identify` was told. */
  get userId(): string | undefined {
    const json = this.fields.get(USER_FIELD);
    return json === undefined ? undefined : (JSON.parse(json) as string);
  }
}
