import { Script } from '../../../redis/index.ts';
import { ENDS_LUA, FINISH_LUA, TELL_LUA } from '../../lua/ends-lua.ts';
import { RECORD_LUA } from '../../record/record-header.ts';

/** Keeps the records of sessions that have waited for more than a day for as long again as that of a session that has
 *  just ended. Their calculated data keep the time that is left to them.
 *
 *  Input: KEYS ended; ARGV namespace, how many are passed over, the most of each kind.
 *  Output: how many of the kind with more of them were looked at; where that is the most, there may be more. */
export const archiveKeep: Script<number> = new Script(`${RECORD_LUA}${ENDS_LUA}${TELL_LUA}${FINISH_LUA}
local ns, tag, first, most = ARGV[1], tag_of(KEYS[1]), ARGV[2], ARGV[3]
local function keep(session)
  local key = session_key(ns, tag, session, 's')
  local left = redis.call('PTTL', key)
  if left >= 0 and left < KEPT_FOR_ARCHIVE - 86400000 then redis.call('PEXPIRE', key, KEPT_FOR_ARCHIVE) end
end
local fresh = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms() - 86400000, 'LIMIT', first, most)
for _, session in ipairs(fresh) do keep(session) end
local last = tonumber(first) + tonumber(most) - 1
local failed = redis.call('ZRANGE', partition_key(ns, tag, 'failed'), first, last)
for _, member in ipairs(failed) do keep(string.match(member, '^%S+')) end
return math.max(#fresh, #failed)
`);
