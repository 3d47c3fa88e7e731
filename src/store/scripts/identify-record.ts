import { Script } from '../../redis/index.ts';
import { CHANGES_LUA, ENDS_LUA, FINISH_LUA, RECORD_LUA, TELL_LUA } from '../record.ts';

/** Gives a session to a user, if the user may have one more.
 *
 *  Input: KEYS record, lifecycle; ARGV 1 hash of the secret or '', 2 session, 3 the user's reference, 4 absolute in
 *         milliseconds, 5 the version that was loaded, 6 the packed fields, 7 1 where they are sealed, 8 packed changes
 *         or '' where they cannot be told, 9 namespace, 10 length of the lifecycle stream, 11 the most sessions or 0,
 *         12 `refuse` or `end-oldest`, 13 what the lifecycle entry calls the user, or '',
 *         14 until when it may be done.
 *  Output: { 1, the header now, ended sessions ... }; { 0 } where the session is not there; { -1 } where others changed
 *          it and no changes were sent; { -2 } where it is sealed and changes were sent; { -3 } where there are too many.
 *  The index is written in the same step as the record; and whoever reads the index looks into the records. */
export const identifyRecord: Script<[number, ...Buffer[]]> = new Script(`${RECORD_LUA}${ENDS_LUA}${TELL_LUA}
local record, stream, secret, session, user = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]
local ns, length, limit = ARGV[9], ARGV[10], tonumber(ARGV[11])
local now, tag = now_ms(), tag_of(record)
refuse_late(ARGV[14], now)
local r = open_record(record, secret, now, tonumber(ARGV[4]))
if not r then return { 0 } end
local body = ARGV[6]
if r.version ~= tonumber(ARGV[5]) then
  if ARGV[8] == '' then return { -1 } end
  if r.sealed then return { -2 } end
  ${CHANGES_LUA}
  body = changed_body(body_of(record, r), cmsgpack.unpack(ARGV[8]))
end

local result = { 1, '' }
if limit > 0 and r.user ~= user then
  ${FINISH_LUA}
  local index, others = user_key(ns, user), {}
  for _, member in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    local its_tag, its_session = string.match(member, '^(%w+):(.+)$')
    local readable, its_record = try_record(session_key(ns, its_tag, its_session, 's'))
    if its_record and not its_record.ended and its_record.expires > now and its_record.user == user then
      others[#others + 1] = { tag = its_tag, session = its_session, r = its_record }
    elseif readable then
      redis.call('ZREM', index, member)
    end
  end
  if #others >= limit and ARGV[12] == 'refuse' then return { -3 } end
  table.sort(others, function(one, other) return one.r.seen < other.r.seen end)
  for i = 1, #others - limit + 1 do
    finish(ns, others[i].tag, others[i].session, others[i].r, now, stream, length, 'ended', 'limit')
    result[#result + 1] = others[i].session
  end
end

if r.user and r.user ~= user then redis.call('ZREM', user_key(ns, r.user), member_of(tag, session)) end
r.user, r.sealed, r.seen, r.version = user, ARGV[7] == '1', now, (r.version + 1) % 4294967296
result[2] = pack_header(r)
redis.call('SET', record, result[2] .. body, 'KEEPTTL')
index_user(ns, tag, session, r)
if ARGV[13] == '' then tell(stream, length, 'identified', session)
else tell(stream, length, 'identified', session, 'userId', ARGV[13]) end
return result
`);
