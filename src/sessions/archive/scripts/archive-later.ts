import { Script } from '../../../redis/index.ts';
import { ENDS_LUA, FINISH_LUA, TELL_LUA } from '../../lua/ends-lua.ts';
import { RECORD_LUA } from '../../record/record-header.ts';

/** Puts off a session that could not be archived, and keeps all of it for as long again as a session that has just
 *  ended. It does not look into the record: that may be what failed.
 *
 *  Input: KEYS ended, record, facts, then what else the session may have; ARGV session, when it ended, attempts until
 *         now, pause in milliseconds, namespace, prefix of day keys.
 *  Output: 1, or 0 where it no longer waited. */
export const archiveLater: Script<0 | 1> = new Script(`${RECORD_LUA}${ENDS_LUA}${TELL_LUA}${FINISH_LUA}
local session, attempts, prefix = ARGV[1], tonumber(ARGV[3]), ARGV[6]
local failed = partition_key(ARGV[5], tag_of(KEYS[1]), 'failed')
local entry = session .. ' ' .. ARGV[2] .. ' '
local there = attempts == 0 and redis.call('ZREM', KEYS[1], session) or redis.call('ZREM', failed, entry .. ARGV[3])
if there == 0 then return 0 end
redis.call('ZADD', failed, now_ms() + tonumber(ARGV[4]), entry .. string.format('%d', attempts + 1))
local kept = { unpack(KEYS, 2) }
for _, field in ipairs(redis.call('HKEYS', KEYS[3])) do
  if string.sub(field, 1, 1) == 'd' then kept[#kept + 1] = prefix .. string.sub(field, 2) end
end
for _, key in ipairs(kept) do
  local left = redis.call('PTTL', key)
  if left >= 0 and left < KEPT_FOR_ARCHIVE then redis.call('PEXPIRE', key, KEPT_FOR_ARCHIVE) end
end
return 1
`);
