import { defineScript } from '../../../redis/index.ts';

/** In a Cluster: writes lifecycle events from an outbox into the namespace's stream. Skips those that are there already,
 *  because another process may have moved the same ones; it remembers the last 10,000.
 *
 *  Each event is: its id, how many fields and values follow, these. */
export const moveEvents = defineScript({
  name: 'move-events',
  keys: ['lifecycle', 'moved'],
  args: { lifecycleLength: 'number' },
  restArgs: 'event',
  output: 'how many were written',
  body: `
local time = redis.call('TIME')
local at, count = firstEvent, 0
while at <= #ARGV do
  local size = tonumber(ARGV[at + 1])
  if redis.call('ZADD', moved, 'NX', time[1], ARGV[at]) == 1 then
    redis.call('XADD', lifecycle, 'MAXLEN', '~', lifecycleLength, '*', unpack(ARGV, at + 2, at + 1 + size))
    count = count + 1
  end
  at = at + 2 + size
end
redis.call('ZREMRANGEBYRANK', moved, 0, -10001)
redis.call('EXPIRE', moved, 3600)
return count
`,
}).returns<number>();
