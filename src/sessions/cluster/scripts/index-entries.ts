import { defineScript } from '../../../redis/index.ts';
import { clockLua } from '../../lua/clock-lua.ts';
import { reservationLua } from '../../lua/reservation-lua.ts';

/** In a Cluster: reads the scores of members of a user's index. */
export const readScores = defineScript({
  name: 'read-scores',
  keys: ['index'],
  restArgs: 'member',
  output: `of each member its score as text, or ''`,
  body: `
local scores = {}
for i, member in ipairs(ARGV) do scores[i] = redis.call('ZSCORE', index, member) or '' end
return scores
`,
}).returns<string[]>();

/** In a Cluster: takes back a login reservation that was not used. `reservation`: its score. */
export const releaseLogin = defineScript({
  name: 'release-login',
  keys: ['index'],
  args: { member: 'text', reservation: 'text' },
  output: '1 where it was still there, else 0',
  body: `
if redis.call('ZSCORE', index, member) ~= reservation then return 0 end
return redis.call('ZREM', index, member)
`,
}).returns<number>();

/** In a Cluster: removes members of a user's index whose sessions are not the user's. It leaves entries that have changed
 *  since the caller looked into the records, and reservations that hold: their records are about to be written. Two
 *  arguments each: member, and its score before its record was looked into. */
export const removeMembers = defineScript({
  name: 'remove-members',
  uses: [clockLua, reservationLua],
  keys: ['index'],
  restArgs: 'entry',
  output: 'how many were removed',
  body: `
local now, count = now_ms(), 0
for i = firstEntry, #ARGV, 2 do
  local score = redis.call('ZSCORE', index, ARGV[i])
  if score == ARGV[i + 1] and not is_reservation(score, now) then
    count = count + redis.call('ZREM', index, ARGV[i])
  end
end
return count
`,
}).returns<number>();
