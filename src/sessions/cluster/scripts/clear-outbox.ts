import { defineScript } from '../../../redis/index.ts';

/** In a Cluster: deletes entries of an outbox, and the outbox when it has been empty for a second. Not earlier: a stream
 *  that begins anew within the same millisecond would give an id twice. */
export const clearOutbox = defineScript({
  name: 'clear-outbox',
  keys: ['outbox'],
  restArgs: 'id',
  output: 'how many entries are left',
  body: `
if #ARGV > 0 then redis.call('XDEL', outbox, unpack(ARGV)) end
local left = redis.call('XLEN', outbox)
if left > 0 or redis.call('EXISTS', outbox) == 0 then return left end
local time, info = redis.call('TIME'), redis.call('XINFO', 'STREAM', outbox)
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then
    local last = tonumber(string.match(info[i + 1], '^%d+'))
    if time[1] * 1000 + math.floor(time[2] / 1000) - last > 1000 then redis.call('DEL', outbox) end
  end
end
return 0
`,
}).returns<number>();
