/** Session data could not be read or written in time. Nothing is known to be lost: the session is what it was, or what
 *  it was to become. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
  readonly code = 'STORE_UNAVAILABLE';
  /** What web frameworks answer with. */
  readonly status = 503;
  readonly statusCode = 503;
}

/** A field of a session cannot be written as JSON; nothing was written. */
export class NotSerialisableError extends TypeError {
  override readonly name = 'NotSerialisableError';
  readonly code = 'SESSION_NOT_SERIALISABLE';
  /** The top-level field. */
  readonly field: string;

  constructor(field: string, why: string) {
    super(`The session's field "${field}" cannot be stored: ${why}. Store plain data, or convert it first.`);
    this.field = field;
  }
}

/** What is kept of a session cannot be read with what this store was given; it was left as it is. */
export class SessionDataError extends Error {
  override readonly name = 'SessionDataError';
  readonly code = 'SESSION_DATA';
  /** What web frameworks answer with. */
  readonly status = 500;
  readonly statusCode = 500;
}

/** There is no place for another session of the user: as many as are allowed are there, and the store was told to refuse
 *  more; or, in a Cluster, another login has claimed a place and it is not known what becomes of that. Nothing is wrong
 *  with Redis. */
export class SessionLimitError extends Error {
  override readonly name = 'SessionLimitError';
  readonly code = 'SESSION_LIMIT';
  /** What web frameworks answer with: 409, or 503 where another try soon may do. */
  readonly status: 409 | 503;
  readonly statusCode: 409 | 503;
  readonly limit: number;
  /** True where another login is in the way: in a few seconds it is done, or its claim is over. */
  readonly isTemporary: boolean;

  constructor(limit: number, isTemporary = false) {
    super(
      isTemporary
        ? `Another login of this user is under way, or broke off, and holds a place (the limit is ${limit}): try again in a few seconds.`
        : `This user has ${limit} sessions already, which is the limit: end one first, or set onSessionLimit to "end-oldest".`,
    );
    this.limit = limit;
    this.isTemporary = isTemporary;
    this.status = isTemporary ? 503 : 409;
    this.statusCode = this.status;
  }
}

/** An operation that needs the session, and there is none: it has ended, or its token is not the right one (any more):
 *  a login in another request has replaced it. */
export class SessionGoneError extends Error {
  override readonly name = 'SessionGoneError';
  readonly code = 'SESSION_GONE';
  /** What web frameworks answer with: the request, sent again with the cookie of now, may succeed. */
  readonly status = 409;
  readonly statusCode = 409;

  constructor(what: string) {
    super(
      `${what} changed nothing: the session has ended, was never saved, or has another token by now. Load it again.`,
    );
  }
}

/** Data that are sealed, for a store without keys. */
export function sealedByOthers(session: string): SessionDataError {
  return new SessionDataError(
    `The data of session ${session} are encrypted: give this store the keys (encryption.keys).`,
  );
}

/** Whether Redis says that something else lies where session data should. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && /\bWRONGTYPE\b/.test(error.message);
}

/** Whether a script says that session data are of a format that it does not know. */
export function isOtherFormat(error: unknown): boolean {
  return error instanceof Error && /\bSESSIONDATA\b/.test(error.message);
}

/** Whether Redis is there and refuses to write; reads go on. */
export function isRefusedWrite({ message }: Error): boolean {
  return /\b(OOM|READONLY|MISCONF|NOPERM|NOREPLICAS)\b/.test(message);
}

/** Whether an error is one of these. */
export function isOurs(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^(SESSION|STORE)_/.test(String(error.code));
}
