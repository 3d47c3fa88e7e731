/* record-header.ts: the layout of one session's data in Redis. No other file knows an offset.
 *
 * One string: a header and the fields. A string and not a hash of fields, because it is read far more often than
 * written: GET of it costs Redis what GET of connect-redis's JSON does, HGETALL of seven fields a third more (twice as
 * much where requests share a write), and the hash takes twice the memory. If the record has not changed since it was
 * loaded, a save replaces the whole (operations/scripts/replace-record.ts); otherwise it sends its differences, which a
 * script applies to the record as it is now (operations/scripts/save-record.ts).
 *
 *   0  1  format, 1
 *   1  1  flags: 1 ended, 2 previous secret, 4 user, 8 sealed
 *   2 32  SHA-256 of the secret; of an ended record that waits for the archive, its `endedSecret` (record-encryption.ts)
 *  34  8  when it was first saved    } milliseconds of the epoch by Redis's clock,
 *  42  8  when it was last written   } as little-endian doubles
 *  50  8  when it ends               }
 *  58  8  `cookie.expires` as the serving layer gave it, 0 for none
 *  66  4  version: how often fields, user or secret were changed, modulo 2^32
 *  70 40  only with flag 2: SHA-256 of the previous secret, and until when it is remembered
 *     28  only with flag 4: the user's reference
 *         the fields: a packed list of name, JSON, name, JSON ...; sealed, a list of one sealed text
 *
 * Sealed fields are bound to secret, user and version: a change of one of these must seal them anew.
 *
 * A touch rewrites `TOUCHED_FORMAT` in place. Field names that begin with \0 belong to the store. */

export const RECORD_FORMAT = 1;
export const FLAGS = { ended: 1, previous: 2, user: 4, sealed: 8 } as const;

const SECRET_LENGTH = 32;
const OFFSETS = {
  flags: 1,
  secret: 2,
  createdAt: 34,
  lastSeenAt: 42,
  expiresAt: 50,
  cookieExpiresAt: 58,
  version: 66,
} as const;
/** Bytes of a header with neither a previous secret nor a user. */
export const SHORT_HEADER = 70;
/** Bytes of a previous secret and its end. */
export const PREVIOUS_LENGTH = 40;
/** Bytes of a user's reference. */
export const USER_LENGTH = 28;

/** The version of no record: a save that says it was made from this one is never taken for current. */
export const STALE_VERSION = -1;

/** Formats of `struct.pack` in Redis's scripts: a short header; a previous secret and its end. */
export const HEADER_FORMAT: string = `<BBc${SECRET_LENGTH}ddddI4`;
export const PREVIOUS_FORMAT: string = `<c${SECRET_LENGTH}d`;
/** Format and offset of the times that a touch writes: last written, end, `cookie.expires`. */
export const TOUCHED_FORMAT = '<ddd';
export const TOUCHED_OFFSET: number = OFFSETS.lastSeenAt;

/** The part of a record before its fields. Times are milliseconds of the epoch. */
export interface RecordHeader {
  readonly ended: boolean;
  readonly encrypted: boolean;
  readonly secret: Buffer;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
  /** 0: none. */
  readonly cookieExpiresAt: number;
  readonly version: number;
  readonly previous: { readonly secret: Buffer; readonly until: number } | undefined;
  /** A `userReference`. */
  readonly user: string | undefined;
  /** Its length in bytes. */
  readonly length: number;
}

/** Reads a record's header.
 *  @throws RangeError where it is no record of ours. */
export function readHeader(record: Buffer): RecordHeader {
  if (record.length < SHORT_HEADER || record[0] !== RECORD_FORMAT) {
    throw new RangeError('These bytes are no session data of a format that this version knows.');
  }
  const flags = record[OFFSETS.flags]!;
  const previous = (flags & FLAGS.previous) !== 0;
  const user = (flags & FLAGS.user) !== 0;
  const afterPrevious = SHORT_HEADER + (previous ? PREVIOUS_LENGTH : 0);
  const length = afterPrevious + (user ? USER_LENGTH : 0);
  if (record.length < length) throw new RangeError('These session data end within their header.');
  return {
    ended: isEnded(record),
    encrypted: (flags & FLAGS.sealed) !== 0,
    secret: secretIn(record),
    createdAt: record.readDoubleLE(OFFSETS.createdAt),
    lastSeenAt: record.readDoubleLE(OFFSETS.lastSeenAt),
    expiresAt: record.readDoubleLE(OFFSETS.expiresAt),
    cookieExpiresAt: record.readDoubleLE(OFFSETS.cookieExpiresAt),
    version: versionIn(record),
    previous: previous ? readPrevious(record) : undefined,
    user: user ? record.toString('latin1', afterPrevious, length) : undefined,
    length,
  };
}

/** Whether a record's first bytes say that the session has ended. */
export function isEnded(record: Buffer): boolean {
  return (record[OFFSETS.flags]! & FLAGS.ended) !== 0;
}

/** SHA-256 of the secret, as a record's first bytes say. */
export function secretIn(record: Buffer): Buffer {
  return record.subarray(OFFSETS.secret, OFFSETS.secret + SECRET_LENGTH);
}

/** How often fields, user or secret were changed, as a record's first bytes say. */
export function versionIn(record: Buffer): number {
  return record.readUInt32LE(OFFSETS.version);
}

function readPrevious(record: Buffer): { readonly secret: Buffer; readonly until: number } {
  const end = SHORT_HEADER + SECRET_LENGTH;
  return { secret: record.subarray(SHORT_HEADER, end), until: record.readDoubleLE(end) };
}

/** The header of the next version: `header` with what a save changes. */
export function nextHeader(
  header: Buffer,
  change: { readonly lastSeenAt: number; readonly cookieExpiresAt: number; readonly encrypted: boolean },
): Buffer {
  const next = Buffer.from(header);
  const flags = next[OFFSETS.flags]!;
  next[OFFSETS.flags] = change.encrypted ? flags | FLAGS.sealed : flags & ~FLAGS.sealed;
  next.writeDoubleLE(change.lastSeenAt, OFFSETS.lastSeenAt);
  next.writeDoubleLE(change.cookieExpiresAt, OFFSETS.cookieExpiresAt);
  next.writeUInt32LE((versionIn(next) + 1) >>> 0, OFFSETS.version);
  return next;
}
