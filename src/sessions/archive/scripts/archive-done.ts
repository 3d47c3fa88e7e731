import { Script } from '../../../redis/index.ts';
import { ENDS_LUA, FINISH_LUA, TELL_LUA } from '../../lua/ends-lua.ts';
import { RECORD_LUA } from '../../record/record-header.ts';

/** Deletes what was archived: record, calculated data and the entry that waited. Of a session that somebody ended, what
 *  keeps it ended stays until the hour is over that a request of before may take.
 *
 *  Input: KEYS record, ended, lifecycle; ARGV session, when it ended, attempts, namespace, length of the lifecycle stream.
 *  Output: 1 where it was done now; 0 where it no longer waited, or nothing was left of it: then only the entry goes. */
export const archiveDone: Script<0 | 1> = new Script(`${RECORD_LUA}${ENDS_LUA}${TELL_LUA}${FINISH_LUA}
local record, ns, tag, session, ended_at = KEYS[1], ARGV[4], tag_of(KEYS[1]), ARGV[1], tonumber(ARGV[2])
local there = ARGV[3] == '0' and redis.call('ZREM', KEYS[2], session)
  or redis.call('ZREM', partition_key(ns, tag, 'failed'), session .. ' ' .. ARGV[2] .. ' ' .. ARGV[3])
if there == 0 then return 0 end
local r = read_record(record)
if not r or not r.ended then return 0 end
forget_calculated(ns, tag, session)
if ended_at < r.expires and ended_at + TOMBSTONE_MS > now_ms() then
  leave_tombstone(record, r, ended_at)
else
  redis.call('UNLINK', record)
end
tell(KEYS[3], ARGV[5], 'archived', session)
return 1
`);
