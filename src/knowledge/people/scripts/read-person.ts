import { defineScript } from '../../../redis/index.ts';
import { FACTS_OF, viewsTakenLua } from './views-taken-lua.ts';

/** Reads what a push into a person's record begins with. */
export const readPerson = defineScript({
  name: 'read-person',
  uses: [viewsTakenLua],
  keys: ['record', 'merged', 'absent?'],
  args: { source: 'text' },
  buffers: true,
  output:
    "the time (microseconds of the epoch), how many of the source's views were taken, the record, and the facts that were taken",
  body: `
local time = redis.call('TIME')
return { string.format('%.0f', time[1] * 1000000 + time[2]), views_taken(source), redis.call('GET', record),
  redis.call('HGET', merged, '${FACTS_OF}' .. source) }
`,
}).returns<[time: Buffer, taken: Buffer, record: Buffer | null, facts: Buffer | null]>();
