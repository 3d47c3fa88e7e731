import { defineLua, type LuaText } from '../../redis/index.ts';
import {
  FLAGS,
  HEADER_FORMAT,
  PREVIOUS_FORMAT,
  PREVIOUS_LENGTH,
  RECORD_FORMAT,
  SHORT_HEADER,
  USER_LENGTH,
} from '../record/record-header.ts';

/** The number of a record's next version, of a record `r`. */
export const NEXT_VERSION = '(r.version + 1) % 4294967296';

/** Reads and writes records. A record `r` is a table of the header's fields.
 *
 *  - `read_record(key)` -> r; nil where there is none.
 *  - `open_record(key, secret, now, absolute)` -> r where the session lives and the secret is the current one ('' skips
 *    that check), else nil. No script does anything for a previous secret. `absolute`: the longest life in milliseconds,
 *    0 for none.
 *  - `pack_header(r)` -> the header's bytes.
 *  - `body_of(key, r)` -> the packed fields. */
export const recordLua: LuaText = defineLua({
  name: 'record',
  source: `
local function read_record(key)
  local head = redis.call('GETRANGE', key, 0, ${SHORT_HEADER + PREVIOUS_LENGTH + USER_LENGTH - 1})
  if #head < ${SHORT_HEADER} then return nil end
  local r, format, flags = {}, nil, nil
  format, flags, r.secret, r.created, r.seen, r.expires, r.cookie, r.version = struct.unpack('${HEADER_FORMAT}', head)
  if format ~= ${RECORD_FORMAT} then error('SESSIONDATA of format ' .. format .. ' are of another version') end
  r.ended = flags % ${2 * FLAGS.ended} >= ${FLAGS.ended}
  r.sealed = flags % ${2 * FLAGS.sealed} >= ${FLAGS.sealed}
  r.size = ${SHORT_HEADER}
  if flags % ${2 * FLAGS.previous} >= ${FLAGS.previous} then
    r.previous, r.previous_until = struct.unpack('${PREVIOUS_FORMAT}', head, r.size + 1)
    r.size = r.size + ${PREVIOUS_LENGTH}
  end
  if flags % ${2 * FLAGS.user} >= ${FLAGS.user} then
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
  local flags = (r.ended and ${FLAGS.ended} or 0) + (r.previous and ${FLAGS.previous} or 0)
    + (r.user and ${FLAGS.user} or 0) + (r.sealed and ${FLAGS.sealed} or 0)
  local head = struct.pack('${HEADER_FORMAT}', ${RECORD_FORMAT}, flags, r.secret, r.created, r.seen, r.expires, r.cookie,
    r.version)
  if r.previous then head = head .. struct.pack('${PREVIOUS_FORMAT}', r.previous, r.previous_until) end
  return head .. (r.user or '')
end

local function body_of(key, r)
  return redis.call('GETRANGE', key, r.size, -1)
end
`,
});

/** Reads a record that may be of another version: `try_record(key)` -> whether it could be read, and r. A script that
 *  works on many sessions must not fail at one of them. */
export const tryRecordLua: LuaText = defineLua({
  name: 'try-record',
  uses: [recordLua],
  source: `
local function try_record(key)
  local readable, r = pcall(read_record, key)
  return readable, readable and r or nil
end
`,
});
