import { defineScript, forgetLua, SUBJECT_TOMBSTONE } from '../../../redis/index.ts';
import { partsLua } from '../../scripts/parts-lua.ts';
import { MERGED_SECONDS } from './push-knowledge.ts';

/** For so many seconds nothing is noted of a person that was erased: requests may be under way. */
export const ERASED_SECONDS = 3_600;

/** Deletes all that is known of a person, and leaves a mark without content: what was claimed before it is merged no more. */
export const erasePerson = defineScript({
  name: 'erase-person',
  uses: [forgetLua, partsLua],
  keys: ['record', 'merged', 'erased', 'absent?'],
  args: { namespace: 'text', person: 'text' },
  output: '1 where something was known, else 0',
  body: `
local time = redis.call('TIME')
local known = redis.call('EXISTS', record) == 1 and redis.call('STRLEN', record) > 0
redis.call('SET', erased, string.format('%.0f', time[1] * 1000000 + time[2]), 'EX', ${MERGED_SECONDS})
forget_calculated(namespace, string.match(record, '{(%w+)}'), person)
each_beside(function(key) redis.call('UNLINK', key) end)
redis.call('UNLINK', merged)
redis.call('SET', record, '${SUBJECT_TOMBSTONE}', 'EX', ${ERASED_SECONDS})
return known and 1 or 0
`,
}).returns<0 | 1>();
