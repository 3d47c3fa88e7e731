import { TELL_LUA } from '../../lua/ends-lua.ts';
import { PlacedScript } from '../../lua/placed-script.ts';
import { CHANGES_LUA, RECORD_LUA } from '../../record/record-header.ts';

/** How many of a user's sessions a login looks at, and ends, in one step. */
export const LOOK_AT = 100;

// Ends the sessions that are too many, or refuses; needs FINISH_LUA. However many there are, it looks only at those that
// end first.
const CAP_LUA = `
  local index, others, after_now = user_key(ns, user), {}, '(' .. string.format('%.0f', now)
  local count, candidates = redis.call('ZCOUNT', index, after_now, '+inf'), {}
  if count >= limit then
    candidates = redis.call('ZRANGEBYSCORE', index, after_now, '+inf', 'LIMIT', 0, ${LOOK_AT})
  end
  for _, member in ipairs(candidates) do
    local its_tag, its_session = string.match(member, '^(%w+):(.+)$')
    local readable, its_record = try_record(session_key(ns, its_tag, its_session, 's'))
    if its_record and not its_record.ended and its_record.expires > now and its_record.user == user then
      others[#others + 1] = { tag = its_tag, session = its_session, r = its_record }
    else
      count = count - 1
      if readable then redis.call('ZREM', index, member) end
    end
  end
  if count >= limit and ARGV[12] == 'refuse' then return { -3 } end
  if count - limit + 1 > #others then return { -5 } end
  table.sort(others, function(one, other) return one.r.seen < other.r.seen end)
  for i = 1, count - limit + 1 do
    finish(ns, others[i].tag, others[i].session, others[i].r, now, stream, length, 'ended', 'limit')
    result[#result + 1] = others[i].session
  end`;

/** Gives a session to a user, if the user may have one more.
 *
 *  Outside a Cluster the cap is decided here, and the index is written in the same step as the record. In a Cluster both
 *  are done before, in the user's slot (login-reservations.ts), and the lifecycle entry says whose index the session has left.
 *
 *  Input: KEYS record, lifecycle; ARGV 1 hash of the secret or '', 2 session, 3 the user's reference, 4 absolute in
 *         milliseconds, 5 the version that was loaded, 6 the packed fields, 7 1 where they are sealed, 8 packed changes
 *         or '' where they cannot be told, 9 namespace, 10 length of the lifecycle stream, 11 the most sessions or 0 (in
 *         a Cluster: 1 where a place was claimed), 12 `refuse` or `end-oldest`, 13 until when it may be done.
 *  Output: { 1, the header now, ended sessions ... }; { 0 } where the session is not there; { -1 } where others changed
 *          it and no changes were sent; { -2 } where it is sealed and changes were sent; { -3 } where there are too many;
 *          { -5 } where more would have to end than this step looks at; { -4 } where it is no longer the user's, as it was thought to be, and no place was claimed. */
export const identifyRecord: PlacedScript<[number, ...Buffer[]]> = new PlacedScript(
  ({ isCluster, ends, finish }) => `${RECORD_LUA}${ends}${TELL_LUA}
local record, stream, secret, session, user = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]
local ns, length, limit = ARGV[9], ARGV[10], tonumber(ARGV[11])
local now, tag = now_ms(), tag_of(record)
refuse_late(ARGV[13], now)
local r = open_record(record, secret, now, tonumber(ARGV[4]))
if not r then return { 0 } end
${isCluster ? 'if limit == 0 and r.user ~= user then return { -4 } end' : ''}
local body = ARGV[6]
if r.version ~= tonumber(ARGV[5]) then
  if ARGV[8] == '' then return { -1 } end
  if r.sealed then return { -2 } end
  ${CHANGES_LUA}
  body = changed_body(body_of(record, r), cmsgpack.unpack(ARGV[8]))
end

-- What the previous secret may still read is of before, and ends here: this is a change of rights.
if r.previous then redis.call('UNLINK', session_key(ns, tag, session, 'sb')) end
local result = { 1, '' }
${isCluster ? '' : `if limit > 0 and r.user ~= user then ${finish}${CAP_LUA} end`}

local left = r.user ~= user and r.user or nil
${isCluster ? '' : `if left then redis.call('ZREM', user_key(ns, left), member_of(tag, session)) end`}
r.user, r.sealed, r.seen, r.version = user, ARGV[7] == '1', now, (r.version + 1) % 4294967296
result[2] = pack_header(r)
redis.call('SET', record, result[2] .. body, 'KEEPTTL')
${isCluster ? '' : 'index_user(ns, tag, session, r)'}
-- Whose it is the entry does not say: it outlives the session, and a user who was erased would still stand in it.
tell(stream, length, 'identified', session${isCluster ? ", unpack(left and { '@user', left } or {})" : ''})
return result
`,
);
