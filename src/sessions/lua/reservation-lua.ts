import { defineLua, type LuaText } from '../../redis/index.ts';
import { KEPT_AFTER_END_MS } from './retention.ts';

/** How many entries of a user's index a login looks at, and how many sessions it ends, in one step. */
export const ENTRIES_PER_LOGIN = 100;

/** Reads and writes entries of a user's index in a Cluster. The score of an entry is when its session ends. A login
 *  reservation is an entry whose session is not the user's yet; its score is until when it holds, below 0.
 *
 *  - `is_reservation(score, now)` -> whether the entry is a reservation that still holds.
 *  - `extend_index(index, ends, now)` lets the index live as long as the last of its sessions. */
export const reservationLua: LuaText = defineLua({
  name: 'reservation',
  source: `
local function is_reservation(score, now)
  return tonumber(score) < 0 and -tonumber(score) > now
end

local function extend_index(index, ends, now)
  if redis.call('PTTL', index) < ends - now + ${KEPT_AFTER_END_MS} then
    redis.call('PEXPIREAT', index, ends + ${KEPT_AFTER_END_MS})
  end
end
`,
});
