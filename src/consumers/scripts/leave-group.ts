import { defineScript } from '../../redis/index.ts';
import { groupLua, RESTED_MS, RETURNED } from './group-lua.ts';

/** Ends a consumer: acknowledges an entry, gives back what else it has, and removes it. `returned`: the entry that was in
 *  hand, which another takes over when it has rested for `restMs`; what the consumer never learned of is taken over at once,
 *  and counts no try. */
export const leaveGroup = defineScript({
  name: 'leave-group',
  uses: [groupLua],
  keys: ['stream'],
  args: {
    group: 'text',
    consumer: 'text',
    acknowledged: 'text',
    returned: 'text',
    restMs: 'number',
  },
  output: 'nothing',
  body: `
if not last_delivered(stream, group) then return end
if acknowledged ~= '' then redis.call('XACK', stream, group, acknowledged) end
for _, each in ipairs(redis.call('XPENDING', stream, group, '-', '+', 10, consumer)) do
  local id, tries, rested = each[1], each[4], ${RESTED_MS} - restMs
  if id ~= returned then tries, rested = math.max(0, tries - 1), ${RESTED_MS} end
  -- One that was dropped stays: that a loop took it over and found it gone is told as a gap.
  if #redis.call('XRANGE', stream, id, id) > 0 then
    redis.call('XCLAIM', stream, group, '${RETURNED}', 0, id, 'IDLE', rested, 'RETRYCOUNT', tries, 'JUSTID')
  end
end
if #redis.call('XPENDING', stream, group, '-', '+', 1, consumer) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer)
end`,
});
