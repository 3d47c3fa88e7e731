import { Script } from '../../../redis/index.ts';
import { PLACE_LUA } from '../../lua/place-lua.ts';
import { RECORD_LUA } from '../../record/record-header.ts';

/** In a Cluster: notes in a user's index when a session of the user ends: its place, claimed before, is taken now; or it
 *  was renewed. A claim of which nothing is left was taken away with the session.
 *
 *  Input: KEYS index; ARGV member, when the session ends, the claim's score or '' for a renewal.
 *  Output: up to ten members that look as if nobody had removed them; whoever asks should look into their records. */
export const confirmPlace: Script<string[]> = new Script(`${RECORD_LUA}${PLACE_LUA}
local index, member, ends = KEYS[1], ARGV[1], tonumber(ARGV[2])
local now, score = now_ms(), redis.call('ZSCORE', KEYS[1], ARGV[1])
if ARGV[3] ~= '' then
  if score ~= ARGV[3] then return {} end
elseif score and holds(score, now) then
  return {}
end
redis.call('ZADD', index, ends, member)
keep_index(index, ends, now)
local old = {}
local entries = redis.call('ZRANGEBYSCORE', index, '-inf', now - KEPT_AFTER_END, 'WITHSCORES', 'LIMIT', 0, 10)
for i = 1, #entries, 2 do
  if not holds(entries[i + 1], now) then old[#old + 1] = entries[i] end
end
return old
`);
