import { Script } from '../../../redis/index.ts';

/** In a Cluster: writes lifecycle events that lay in an outbox into the namespace's stream, and none that is there
 *  already: another process may have moved the same ones. It remembers the last 10,000.
 *
 *  Input: KEYS lifecycle, moved; ARGV length of the lifecycle stream, then of each event: its id, how many fields and
 *         values follow, these. Output: how many were written. */
export const moveEvents: Script<number> = new Script(`
local time = redis.call('TIME')
local at, count = 2, 0
while at <= #ARGV do
  local size = tonumber(ARGV[at + 1])
  if redis.call('ZADD', KEYS[2], 'NX', time[1], ARGV[at]) == 1 then
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, at + 2, at + 1 + size))
    count = count + 1
  end
  at = at + 2 + size
end
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -10001)
redis.call('EXPIRE', KEYS[2], 3600)
return count
`);
