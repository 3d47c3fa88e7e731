import { defineScript, SUBJECT_FLAGS, SUBJECT_TOMBSTONE } from '../../../redis/index.ts';
import { recordLua } from '../../lua/record-lua.ts';

/** Reads everything that is known of an ended session, in one step, and changes nothing. */
export const archiveRead = defineScript({
  name: 'archive-read',
  uses: [recordLua],
  keys: ['record', 'subject', 'uniquePages'],
  statuses: { done: 1, gone: 0 },
  buffers: true,
  output: `done, the session record, and where anything was calculated the subject's record; then unique pages where
    they have outgrown it; gone: there is no ended record`,
  body: (status) => `
local r = read_record(record)
if not r or not r.ended then return ${status.gone} end
local reply, body = { ${status.done}, redis.call('GET', record) }, redis.call('GET', subject)
if not body or body == '${SUBJECT_TOMBSTONE}' then return reply end
reply[3] = body
if math.floor(string.byte(body) / ${SUBJECT_FLAGS.largePages}) % 2 == 1 then
  reply[4] = redis.call('PFCOUNT', uniquePages)
end
return reply
`,
}).returns<[record: Buffer, subject?: Buffer, uniquePages?: number] | []>();
