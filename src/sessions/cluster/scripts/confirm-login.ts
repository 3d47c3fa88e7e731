import { defineScript } from '../../../redis/index.ts';
import { clockLua } from '../../lua/clock-lua.ts';
import { reservationLua } from '../../lua/reservation-lua.ts';
import { KEPT_AFTER_END_MS } from '../../lua/retention.ts';

/** In a Cluster: writes into a user's index when a session of the user ends: after its login, which was reserved, or
 *  after a renewal. A reservation that is gone was removed together with its session.
 *
 *  `reservation`: its score, or '' for a renewal. */
export const confirmLogin = defineScript({
  name: 'confirm-login',
  uses: [clockLua, reservationLua],
  keys: ['index'],
  args: { member: 'text', expiresAt: 'number', reservation: 'text' },
  output: 'up to ten members whose sessions are long over; the caller should look into their records',
  body: `
local now, score = now_ms(), redis.call('ZSCORE', index, member)
if reservation ~= '' then
  if score ~= reservation then return {} end
elseif score and is_reservation(score, now) then
  return {}
end
redis.call('ZADD', index, expiresAt, member)
extend_index(index, expiresAt, now)
local old = {}
local entries = redis.call('ZRANGEBYSCORE', index, '-inf', now - ${KEPT_AFTER_END_MS}, 'WITHSCORES', 'LIMIT', 0, 10)
for i = 1, #entries, 2 do
  if not is_reservation(entries[i + 1], now) then old[#old + 1] = entries[i] end
end
return old
`,
}).returns<string[]>();
