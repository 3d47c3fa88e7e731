import { defineScript } from '../../../redis/index.ts';
import { viewsTakenLua } from './views-taken-lua.ts';

/** Reads what a push into a person's record begins with. */
export const readPerson = defineScript({
  name: 'read-person',
  uses: [viewsTakenLua],
  keys: ['record', 'merged', 'absent?'],
  args: { source: 'text' },
  buffers: true,
  output: "the time (microseconds of the epoch), how many of the source's views were taken, and the record",
  body: `
local time = redis.call('TIME')
return { string.format('%.0f', time[1] * 1000000 + time[2]), views_taken(source), redis.call('GET', record) }
`,
}).returns<[time: Buffer, taken: Buffer, record: Buffer | null]>();
