import { defineScript, keysLua } from '../../../redis/index.ts';
import { clockLua } from '../../lua/clock-lua.ts';
import { KEPT_FOR_ARCHIVE_MS } from '../../lua/retention.ts';

const DAY_MS = 86_400_000;

/** Extends the time to live of records that have waited for the archive for more than a day, to that of a session that
 *  has just ended. Their calculated data keep the time that is left to them.
 *
 *  `offset`: how many entries are passed over; `limit`: the most of each kind. */
export const extendWaiting = defineScript({
  name: 'extend-waiting',
  uses: [clockLua, keysLua],
  keys: ['ended'],
  args: { namespace: 'text', offset: 'number', limit: 'number' },
  output: 'how many entries of the larger kind were looked at; where that is the limit, there may be more',
  body: `
local tag = tag_of(ended)
local function extend(session)
  local key = session_key(namespace, tag, session, 's')
  local left = redis.call('PTTL', key)
  if left >= 0 and left < ${KEPT_FOR_ARCHIVE_MS - DAY_MS} then redis.call('PEXPIRE', key, ${KEPT_FOR_ARCHIVE_MS}) end
end
local fresh = redis.call('ZRANGEBYSCORE', ended, '-inf', now_ms() - ${DAY_MS}, 'LIMIT', offset, limit)
for _, session in ipairs(fresh) do extend(session) end
local failed = redis.call('ZRANGE', partition_key(namespace, tag, 'failed'), offset, offset + limit - 1)
for _, member in ipairs(failed) do extend(string.match(member, '^%S+')) end
return math.max(#fresh, #failed)
`,
}).returns<number>();
