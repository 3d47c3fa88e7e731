/* record-header.ts: how the data of one session lie in Redis.
 *
 * One string: a header and the fields. A string and not a hash of fields, because it is read far more often than
 * written: GET of it costs Redis what GET of connect-redis's JSON does, HGETALL of seven fields a third more (twice as
 * much where requests share a write), and the hash takes twice the memory. A save that nothing has overtaken replaces
 * the whole (operations/scripts/replace-record.ts); one that was overtaken sends its differences, which a script applies to what is
 * there (operations/scripts/save-record.ts).
 *
 *   0  1  format, 1
 *   1  1  flags: 1 ended, 2 previous secret, 4 user, 8 sealed
 *   2 32  SHA-256 of the secret; of an ended record that is kept for the archive, its `endedSecret` (record-encryption.ts)
 *  34  8  when it was first saved    } milliseconds of the epoch by Redis's clock,
 *  42  8  when it was last written   } as little-endian doubles
 *  50  8  when it ends               }
 *  58  8  `cookie.expires` as the serving layer gave it, 0 for none
 *  66  4  version: how often fields, user or secret were changed, modulo 2^32
 *  70 40  only with flag 2: SHA-256 of the previous secret, and until when it is remembered
 *     28  only with flag 4: the user's reference
 *         the fields: a packed list of name, JSON, name, JSON ...; sealed, a list of one sealed text
 *
 * Sealed fields are bound to secret, user and version: whoever changes one of these must seal them anew.
 *
 * A touch rewrites bytes 42 to 66 in place. Names that begin with \0 are the store's own. */

export const RECORD_FORMAT = 1;
/** Bytes of a header with neither a previous secret nor a user. */
export const SHORT_HEADER = 70;
const PREVIOUS_LENGTH = 40;
const USER_LENGTH = 28;

export const FLAGS = { ended: 1, previous: 2, user: 4, sealed: 8 } as const;

/** What stands before the fields. Times are milliseconds of the epoch. */
export interface RecordHeader {
  readonly ended: boolean;
  readonly sealed: boolean;
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
  const flags = record[1]!;
  const previous = (flags & FLAGS.previous) !== 0;
  const user = (flags & FLAGS.user) !== 0;
  const afterPrevious = SHORT_HEADER + (previous ? PREVIOUS_LENGTH : 0);
  const length = afterPrevious + (user ? USER_LENGTH : 0);
  if (record.length < length) throw new RangeError('These session data end within their header.');
  return {
    ended: isEnded(record),
    sealed: (flags & FLAGS.sealed) !== 0,
    secret: secretIn(record),
    createdAt: record.readDoubleLE(34),
    lastSeenAt: record.readDoubleLE(42),
    expiresAt: record.readDoubleLE(50),
    cookieExpiresAt: record.readDoubleLE(58),
    version: record.readUInt32LE(66),
    previous: previous
      ? { secret: record.subarray(SHORT_HEADER, SHORT_HEADER + 32), until: record.readDoubleLE(SHORT_HEADER + 32) }
      : undefined,
    user: user ? record.toString('latin1', afterPrevious, length) : undefined,
    length,
  };
}

/** Whether a record's first bytes say that the session has ended. */
export function isEnded(record: Buffer): boolean {
  return (record[1]! & FLAGS.ended) !== 0;
}

/** SHA-256 of the secret, as a record's first bytes say. */
export function secretIn(record: Buffer): Buffer {
  return record.subarray(2, 34);
}

/** The header of the next version: `header` with what a save changes. */
export function nextHeader(
  header: Buffer,
  change: { readonly lastSeenAt: number; readonly cookieExpiresAt: number; readonly sealed: boolean },
): Buffer {
  const next = Buffer.from(header);
  next[1] = change.sealed ? next[1]! | FLAGS.sealed : next[1]! & ~FLAGS.sealed;
  next.writeDoubleLE(change.lastSeenAt, 42);
  next.writeDoubleLE(change.cookieExpiresAt, 58);
  next.writeUInt32LE((next.readUInt32LE(66) + 1) >>> 0, 66);
  return next;
}

/* Redis functions over records, to stand before a script's body. Each costs a script some tenths of a microsecond to
 * define, so they come in parts, and a script takes those that it needs. A record `r` is a table of what the header
 * says. */

/** `now_ms()`; `refuse_late(not_after, now)` ends the script (0: never); `read_record(key)` -> r or nil;
 *  `open_record(key, secret, now, absolute)` -> r where it lives and the secret is the current one ('' is always right),
 *  else nil: no script does anything for a previous secret; `pack_header(r)`; `body_of(key, r)`. */
export const RECORD_LUA: string = `
local HEADER = '<BBc32ddddI4'
local KEPT_AFTER_END = 86400000
-- A request that began before the logout may still save: for an hour nothing can be made of the session again.
local TOMBSTONE_MS = 3600000
local KEPT_FOR_ARCHIVE = 30 * 86400000

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Who asked has given up by then, and was told that nothing happened.
local function refuse_late(not_after, now)
  if tonumber(not_after) > 0 and now > tonumber(not_after) then
    error('SESSIONLATE This came too late by Redis\\'s clock, and was not done.')
  end
end

local function read_record(key)
  local head = redis.call('GETRANGE', key, 0, ${SHORT_HEADER + PREVIOUS_LENGTH + USER_LENGTH - 1})
  if #head < ${SHORT_HEADER} then return nil end
  local r, format, flags = {}, nil, nil
  format, flags, r.secret, r.created, r.seen, r.expires, r.cookie, r.version = struct.unpack(HEADER, head)
  if format ~= ${RECORD_FORMAT} then error('SESSIONDATA of format ' .. format .. ' are of another version') end
  r.ended = flags % 2 == 1
  r.sealed = flags >= ${FLAGS.sealed}
  r.size = ${SHORT_HEADER}
  if flags % 4 >= ${FLAGS.previous} then
    r.previous, r.previous_until = struct.unpack('<c32d', head, r.size + 1)
    r.size = r.size + ${PREVIOUS_LENGTH}
  end
  if flags % 8 >= ${FLAGS.user} then
    r.user = string.sub(head, r.size + 1, r.size + ${USER_LENGTH})
    r.size = r.size + ${USER_LENGTH}
  end
  return r
end

local function open_record(key, secret, now, absolute)
  local r = read_record(key)
  if not r or r.ended or r.expires <= now or (absolute > 0 and r.created + absolute <= now) then return nil end
  return (secret == '' or r.secret == secret) and r or nil
end

local function pack_header(r)
  local flags = (r.ended and 1 or 0) + (r.previous and 2 or 0) + (r.user and 4 or 0) + (r.sealed and 8 or 0)
  local head = struct.pack(HEADER, ${RECORD_FORMAT}, flags, r.secret, r.created, r.seen, r.expires, r.cookie, r.version)
  if r.previous then head = head .. struct.pack('<c32d', r.previous, r.previous_until) end
  return head .. (r.user or '')
end

local function body_of(key, r)
  return redis.call('GETRANGE', key, r.size, -1)
end
`;

/** `changed_body(body, changes)` -> the packed fields with changes applied: a list of name, operation, value, final;
 *  operations: `s` set, `d` delete, `n` add `value` where an integer stands, else set `final`. */
export const CHANGES_LUA: string = `
local function changed_body(body, changes)
  local fields = body == '' and {} or cmsgpack.unpack(body)
  local at = {}
  for i = 1, #fields, 2 do at[fields[i]] = i end
  local deleted = false
  for i = 1, #changes, 4 do
    local name, operation, value, final = changes[i], changes[i + 1], changes[i + 2], changes[i + 3]
    local place = at[name]
    if operation == 'd' then
      if place then fields[place], deleted = false, true end
      at[name] = nil
    else
      if operation == 'n' then
        local there = place and string.match(fields[place + 1], '^-?%d+$') and tonumber(fields[place + 1])
        value = there and string.format('%.0f', there + tonumber(value)) or final
      end
      if not place then
        place = #fields + 1
        at[name] = place
        fields[place] = name
      end
      fields[place + 1] = value
    end
  end
  if not deleted then return cmsgpack.pack(fields) end
  local kept = {}
  for i = 1, #fields, 2 do
    if fields[i] then
      kept[#kept + 1] = fields[i]
      kept[#kept + 1] = fields[i + 1]
    end
  end
  return cmsgpack.pack(kept)
end
`;
