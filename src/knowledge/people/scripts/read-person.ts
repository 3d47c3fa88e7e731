import { defineScript } from '../../../redis/index.ts';

/** Reads what a push into a person's record begins with. */
export const readPerson = defineScript({
  name: 'read-person',
  keys: ['record', 'merged', 'absent?'],
  args: { source: 'text' },
  buffers: true,
  output: "the time (microseconds of the epoch), how many of the source's views were taken, and the record",
  body: `
local time = redis.call('TIME')
local taken = redis.call('HGET', merged, source) or '0'
return { string.format('%.0f', time[1] * 1000000 + time[2]), taken, redis.call('GET', record) }
`,
}).returns<[time: Buffer, taken: Buffer, record: Buffer | null]>();
