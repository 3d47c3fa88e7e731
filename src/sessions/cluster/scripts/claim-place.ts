import { Script } from '../../../redis/index.ts';
import { PLACE_LUA } from '../../lua/place-lua.ts';
import { RECORD_LUA } from '../../record/record-header.ts';
import { LOOK_AT } from '../../users/scripts/identify-record.ts';

/** What whoever looked into a session's record says of its place in a user's index: the session is not the user's any
 *  more; the caller has ended it; or its record cannot be read, so that it is neither counted nor removed. */
export type PlaceVerdict = 'gone' | 'ended' | 'unreadable';

/** In a Cluster: claims a place in a user's index for a session that is to become the user's, if there is one.
 *
 *  A verdict counts only while the entry is the one that was looked at; and a claim that holds can be taken away by
 *  nobody but who has ended its session.
 *
 *  Input: KEYS index; ARGV member, the most sessions or 0, how long the claim holds, when the session ends, then the
 *         verdicts: member, its score then, one of PlaceVerdict.
 *  Output: { 1, the entry's score } where there was a place; else { 0, how many entries there are beside the session's
 *          own, member, score, 1 where that is a claim that holds, member ... }: of the entries the claims and those that
 *          end first, LOOK_AT at most. */
export const claimPlace: Script<[0 | 1, string, ...string[]]> = new Script(`${RECORD_LUA}${PLACE_LUA}
local index, member, limit, ends = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local now, uncounted = now_ms(), 0
for i = 5, #ARGV, 3 do
  local score = redis.call('ZSCORE', index, ARGV[i])
  if score and ARGV[i + 2] == 'unreadable' then
    uncounted = uncounted + 1
  elseif score == ARGV[i + 1] and (ARGV[i + 2] == 'ended' or not holds(score, now)) then
    redis.call('ZREM', index, ARGV[i])
  end
end
local own = redis.call('ZSCORE', index, member) and 1 or 0
uncounted = uncounted + own
if limit > 0 and redis.call('ZCARD', index) - uncounted >= limit then
  local reply = { 0, string.format('%d', redis.call('ZCARD', index) - own) }
  local entries = redis.call('ZRANGE', index, 0, ${LOOK_AT - 1}, 'WITHSCORES')
  for i = 1, #entries, 2 do
    reply[#reply + 1] = entries[i]
    reply[#reply + 1] = entries[i + 1]
    reply[#reply + 1] = holds(entries[i + 1], now) and '1' or '0'
  end
  return reply
end
local score = string.format('%.0f', -(now + tonumber(ARGV[3])))
redis.call('ZADD', index, score, member)
keep_index(index, ends, now)
return { 1, score }
`);
