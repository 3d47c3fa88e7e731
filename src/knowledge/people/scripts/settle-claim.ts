import { defineScript, forgetLua } from '../../../redis/index.ts';

/** Notes that a claimed session was merged as it was at `dirty`: it is looked at again at `again` (milliseconds of the
 *  epoch). Where `retires`, deletes all that is known of it, and the claim: the id is a new visitor's then. */
export const settleClaim = defineScript({
  name: 'settle-claim',
  uses: [forgetLua],
  keys: ['record', 'claim', 'merging', 'absent?'],
  args: { namespace: 'text', session: 'text', at: 'text', dirty: 'text', again: 'number', retires: 'flag' },
  statuses: { settled: 1, changed: 0 },
  output: 'settled; changed: something was noted since, or it was claimed anew',
  body: (status) => `
local found, number = unpack(redis.call('HMGET', claim, 'at', 'dirty'))
if not found then
  redis.call('ZREM', merging, session)
  return ${status.settled}
end
if found ~= at or number ~= dirty then return ${status.changed} end
if retires then
  forget_calculated(namespace, string.match(record, '{(%w+)}'), session)
  redis.call('ZREM', merging, session)
else
  redis.call('HSET', claim, 'clean', dirty)
  redis.call('ZADD', merging, string.format('%.0f', again), session)
end
return ${status.settled}
`,
});
