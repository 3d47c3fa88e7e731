import { TELL_LUA } from '../../lua/ends-lua.ts';
import { PlacedScript } from '../../lua/placed-script.ts';
import { RECORD_LUA } from '../../record/record-header.ts';

/** Ends the sessions of a partition whose time is over.
 *
 *  Input: KEYS due, lifecycle; ARGV namespace, length of the lifecycle stream, the most sessions at once.
 *  Output: how many were looked at; where that is the most, there may be more. */
export const sweepPartition: PlacedScript<number> = new PlacedScript(
  ({ ends, finish }) => `${RECORD_LUA}${ends}${TELL_LUA}${finish}
local UNREADABLE_MS = 3600000
local due, stream, ns, tag = KEYS[1], KEYS[2], ARGV[1], tag_of(KEYS[1])
local now = now_ms()
local sessions = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, ARGV[3])
for _, session in ipairs(sessions) do
  local readable, r = try_record(session_key(ns, tag, session, 's'))
  if not readable then
    -- Of another version, perhaps: whoever can read it may come.
    redis.call('ZADD', due, now + UNREADABLE_MS, session)
  elseif not r or r.ended then
    redis.call('ZREM', due, session)
  elseif r.expires > now then
    redis.call('ZADD', due, r.expires, session)
  else
    -- First what needs no memory: then Redis lets the rest of the script run, though it may be full.
    redis.call('ZREM', due, session)
    finish(ns, tag, session, r, now, stream, ARGV[2], 'expired')
  end
end
return #sessions
`,
);
