import { defineScript, keysLua } from '../../../redis/index.ts';
import { clockLua } from '../../lua/clock-lua.ts';

/** Reads which ended sessions of a partition wait for the archive: the new ones, and those that failed and are due,
 *  `limit` of each at most.
 *
 *  New ones stand in `ended`, session -> when it ended. One that failed moves to `failed`, `<session> <when it ended>
 *  <attempts>` -> when it is tried again: so any number of them can neither hold up the new ones nor fill a process. */
export const archiveWaiting = defineScript({
  name: 'archive-waiting',
  uses: [clockLua, keysLua],
  keys: ['ended'],
  args: { namespace: 'text', limit: 'number' },
  output: 'how many wait in all, then: session, when it ended, attempts; the oldest first of each kind',
  body: `
local failed = partition_key(namespace, tag_of(ended), 'failed')
local reply = { redis.call('ZCARD', ended) + redis.call('ZCARD', failed) }
if reply[1] == 0 then return reply end
local fresh = redis.call('ZRANGE', ended, 0, limit - 1, 'WITHSCORES')
for i = 1, #fresh, 2 do
  reply[#reply + 1] = fresh[i]
  reply[#reply + 1] = fresh[i + 1]
  reply[#reply + 1] = '0'
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', failed, '-inf', now_ms(), 'LIMIT', 0, limit)) do
  for word in string.gmatch(member, '%S+') do reply[#reply + 1] = word end
end
return reply
`,
}).returns<[count: number, ...entries: string[]]>();
