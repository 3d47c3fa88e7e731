import { defineScript, keysLua } from '../../../redis/index.ts';
import { clockLua } from '../../lua/clock-lua.ts';
import { KEPT_FOR_ARCHIVE_MS } from '../../lua/retention.ts';

/** Postpones a session that could not be archived, and extends the time to live of all its keys to that of a session that
 *  has just ended. It does not read the record, which may be the cause of the failure.
 *
 *  `endedAt` and `attempts` name the entry that waits. The keys behind are what else the session may have. */
export const archiveLater = defineScript({
  name: 'archive-later',
  uses: [clockLua, keysLua],
  keys: ['ended', 'record'],
  restKeys: 'other',
  args: {
    session: 'text',
    endedAt: 'text',
    attempts: 'number',
    pauseMs: 'number',
    namespace: 'text',
  },
  statuses: { done: 1, gone: 0 },
  output: 'done; gone: it no longer waited',
  body: (status) => `
local failed = partition_key(namespace, tag_of(ended), 'failed')
local entry = session .. ' ' .. endedAt .. ' '
local removed = attempts == 0 and redis.call('ZREM', ended, session)
  or redis.call('ZREM', failed, entry .. string.format('%d', attempts))
if removed == 0 then return ${status.gone} end
redis.call('ZADD', failed, now_ms() + pauseMs, entry .. string.format('%d', attempts + 1))
for _, key in ipairs({ record, unpack(KEYS, firstOther) }) do
  local left = redis.call('PTTL', key)
  if left >= 0 and left < ${KEPT_FOR_ARCHIVE_MS} then redis.call('PEXPIRE', key, ${KEPT_FOR_ARCHIVE_MS}) end
end
return ${status.done}
`,
});
