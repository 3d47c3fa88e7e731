import { defineScript, forgetLua } from '../../../redis/index.ts';

/** Puts off a claimed session that could not be merged. `again`: when to look at it next, in milliseconds of the epoch;
 *  `mostMs`: a claim that is older is given up with all that is known of the session; 0: none is. */
export const postponeClaim = defineScript({
  name: 'postpone-claim',
  uses: [forgetLua],
  keys: ['record', 'claim', 'merging', 'absent?'],
  args: { namespace: 'text', session: 'text', again: 'number', mostMs: 'number' },
  statuses: { postponed: 1, givenUp: 2, gone: 0 },
  output: 'postponed; givenUp: all that was known of it is deleted; gone: it is not claimed any more',
  body: (status) => `
local at, time = redis.call('HGET', claim, 'at'), redis.call('TIME')
if not at then
  redis.call('ZREM', merging, session)
  return ${status.gone}
end
if mostMs > 0 and time[1] * 1000 + time[2] / 1000 - at / 1000 > mostMs then
  forget_calculated(namespace, string.match(record, '{(%w+)}'), session)
  redis.call('ZREM', merging, session)
  return ${status.givenUp}
end
redis.call('ZADD', merging, 'XX', string.format('%.0f', again), session)
return ${status.postponed}
`,
});
