import { Script } from '../../../redis/index.ts';

/** In a Cluster: deletes entries of an outbox, and the outbox when it has been empty for a second: a stream that begins
 *  anew within the same millisecond would give an id twice.
 *
 *  Input: KEYS outbox; ARGV ids. Output: how many entries are left. */
export const clearOutbox: Script<number> = new Script(`
if #ARGV > 0 then redis.call('XDEL', KEYS[1], unpack(ARGV)) end
local left = redis.call('XLEN', KEYS[1])
if left > 0 or redis.call('EXISTS', KEYS[1]) == 0 then return left end
local time, info = redis.call('TIME'), redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then
    local last = tonumber(string.match(info[i + 1], '^%d+'))
    if time[1] * 1000 + math.floor(time[2] / 1000) - last > 1000 then redis.call('DEL', KEYS[1]) end
  end
end
return 0
`);
