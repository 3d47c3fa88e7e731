import { Script } from '../../../redis/index.ts';
import { ENDS_LUA, FINISH_LUA, TELL_LUA } from '../../lua/ends-lua.ts';
import { RECORD_LUA } from '../../record/record-header.ts';

/** Reads which ended sessions of a partition wait for the archive: the new ones, and those that failed and are due.
 *
 *  New ones stand in `ended`, session -> when it ended. One that failed moves to `failed`, `<session> <when it ended>
 *  <attempts>` -> when it is tried again: so any number of them can neither hold up the new ones nor fill a process.
 *
 *  Input: KEYS ended; ARGV namespace, the most of each.
 *  Output: { how many wait in all, session, when it ended, attempts, ... }, each kind with the oldest first. */
export const archiveWaiting: Script<[number, ...string[]]> =
  new Script(`${RECORD_LUA}${ENDS_LUA}${TELL_LUA}${FINISH_LUA}
local ended, failed = KEYS[1], partition_key(ARGV[1], tag_of(KEYS[1]), 'failed')
local reply = { redis.call('ZCARD', ended) + redis.call('ZCARD', failed) }
if reply[1] == 0 then return reply end
local last = tonumber(ARGV[2]) - 1
local fresh = redis.call('ZRANGE', ended, 0, last, 'WITHSCORES')
for i = 1, #fresh, 2 do
  reply[#reply + 1] = fresh[i]
  reply[#reply + 1] = fresh[i + 1]
  reply[#reply + 1] = '0'
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', failed, '-inf', now_ms(), 'LIMIT', 0, ARGV[2])) do
  for word in string.gmatch(member, '%S+') do reply[#reply + 1] = word end
end
return reply
`);
