import { Script } from '../../../redis/index.ts';
import { PLACE_LUA } from '../../lua/place-lua.ts';
import { RECORD_LUA } from '../../record/record-header.ts';

/** In a Cluster: reads the scores of members of a user's index.
 *
 *  Input: KEYS index; ARGV members. Output: of each its score as text, or ''. */
export const readPlaces: Script<string[]> = new Script(`
local scores = {}
for i, member in ipairs(ARGV) do scores[i] = redis.call('ZSCORE', KEYS[1], member) or '' end
return scores
`);

/** In a Cluster: gives a place back that was claimed for nothing.
 *
 *  Input: KEYS index; ARGV member, the claim's score. Output: 1 where it was still there. */
export const releasePlace: Script<0 | 1> = new Script(`
if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('ZREM', KEYS[1], ARGV[1])
`);

/** In a Cluster: removes members of a user's index whose sessions are not the user's. It leaves those that have changed
 *  since somebody looked, and claims that hold: their records are about to be written.
 *
 *  Input: KEYS index; ARGV member, its score before the record was looked into, member ... Output: how many it were. */
export const dropPlaces: Script<number> = new Script(`${RECORD_LUA}${PLACE_LUA}
local now, count = now_ms(), 0
for i = 1, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score == ARGV[i + 1] and not holds(score, now) then count = count + redis.call('ZREM', KEYS[1], ARGV[i]) end
end
return count
`);
