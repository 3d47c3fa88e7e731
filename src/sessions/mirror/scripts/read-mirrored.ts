import { defineScript } from '../../../redis/index.ts';
import { tryRecordLua } from '../../lua/record-lua.ts';

/** Reads a session's record, and whether connect-redis has written or deleted its own since ours was copied. */
export const readMirrored = defineScript({
  name: 'read-mirrored',
  uses: [tryRecordLua],
  keys: ['record', 'base'],
  args: { mirror: 'text' },
  statuses: { same: 1, absent: 0, foreign: 2, destroyed: 3, unmirrored: 4 },
  buffers: true,
  output: `absent; same, the record: connect-redis has its copy, or is to have none;
    foreign, the record, the text there, the text that was written last, its time to live: connect-redis has written since;
    destroyed, the record: connect-redis has deleted its own; unmirrored, the record: nothing was copied under that key`,
  body: (status) => `
local bytes = redis.call('GET', record)
if not bytes then return ${status.absent} end
local readable, r = try_record(record)
if not readable or not r or r.ended then return { ${status.same}, bytes } end
local key, text, created = unpack(redis.call('HMGET', base, 'key', 'text', 'created'))
if key ~= mirror or tonumber(created) ~= r.created then return { ${status.unmirrored}, bytes } end
local there = redis.call('GET', mirror)
if not there then return { ${status.destroyed}, bytes } end
if there == text then return { ${status.same}, bytes } end
return { ${status.foreign}, bytes, there, text, redis.call('PTTL', mirror) }
`,
}).returns<[record: Buffer, theirs: Buffer, base: Buffer, leftMs: number] | [record: Buffer] | []>();
