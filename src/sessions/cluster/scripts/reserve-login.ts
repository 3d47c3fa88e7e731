import { defineScript } from '../../../redis/index.ts';
import { clockLua } from '../../lua/clock-lua.ts';
import { ENTRIES_PER_LOGIN, reservationLua } from '../../lua/reservation-lua.ts';

/** Verdict on an entry after a look at its session's record: `gone`, the session is not the user's (any more); `ended`,
 *  the caller has ended it; `unreadable`, the record cannot be read, so the entry is neither counted nor removed. */
export type EntryVerdict = 'gone' | 'ended' | 'unreadable';

/** In a Cluster: reserves a login, an entry in the user's index for a session that is to become the user's, if the user
 *  may have one more.
 *
 *  A verdict counts only while the entry is the one that was looked at. A reservation that holds is removed only with
 *  the verdict `ended`.
 *
 *  `limit`: the most sessions, or 0. `holdsMs`: how long the reservation holds. `expiresAt`: when the session ends. The
 *  verdicts are three arguments each: member, its score when it was looked at, the `EntryVerdict`. */
export const reserveLogin = defineScript({
  name: 'reserve-login',
  uses: [clockLua, reservationLua],
  keys: ['index'],
  args: { member: 'text', limit: 'number', holdsMs: 'number', expiresAt: 'number' },
  restArgs: 'verdict',
  statuses: { reserved: 1, full: 0 },
  output: `reserved, the entry's score; full, how many entries there are beside the session's own, then of the
    reservations and of the sessions that end first, ${ENTRIES_PER_LOGIN} at most: member, score, 1 or 0 for a reservation`,
  body: (status) => `
local now, uncounted = now_ms(), 0
for i = firstVerdict, #ARGV, 3 do
  local score = redis.call('ZSCORE', index, ARGV[i])
  if score and ARGV[i + 2] == 'unreadable' then
    uncounted = uncounted + 1
  elseif score == ARGV[i + 1] and (ARGV[i + 2] == 'ended' or not is_reservation(score, now)) then
    redis.call('ZREM', index, ARGV[i])
  end
end
local own = redis.call('ZSCORE', index, member) and 1 or 0
uncounted = uncounted + own
if limit > 0 and redis.call('ZCARD', index) - uncounted >= limit then
  local reply = { ${status.full}, string.format('%d', redis.call('ZCARD', index) - own) }
  local entries = redis.call('ZRANGE', index, 0, ${ENTRIES_PER_LOGIN - 1}, 'WITHSCORES')
  for i = 1, #entries, 2 do
    reply[#reply + 1] = entries[i]
    reply[#reply + 1] = entries[i + 1]
    reply[#reply + 1] = is_reservation(entries[i + 1], now) and '1' or '0'
  end
  return reply
end
local score = string.format('%.0f', -(now + holdsMs))
redis.call('ZADD', index, score, member)
extend_index(index, expiresAt, now)
return { ${status.reserved}, score }
`,
}).returns<[scoreOrCount: string, ...entries: string[]]>();
