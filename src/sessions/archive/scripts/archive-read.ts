import { defineScript, SUBJECT_FLAGS, SUBJECT_TOMBSTONE } from '../../../redis/index.ts';
import { recordLua } from '../../lua/record-lua.ts';

/** Reads everything that is known of an ended session, in one step, and changes nothing. */
export const archiveRead = defineScript({
  name: 'archive-read',
  uses: [recordLua],
  keys: ['record', 'subject', 'uniquePages'],
  statuses: { done: 1, gone: 0 },
  buffers: true,
  output: `done, the session record, and where anything was calculated and can be read the subject's record; then unique
    pages where they have outgrown it; gone: there is no ended record`,
  body: (status) => `
local r = read_record(record)
if not r or not r.ended then return ${status.gone} end
local reply, body = { ${status.done}, redis.call('GET', record) }, redis.pcall('GET', subject)
-- A key of another type, which must not keep the session from its archive.
if type(body) ~= 'string' or body == '${SUBJECT_TOMBSTONE}' then return reply end
reply[3] = body
if math.floor(string.byte(body) / ${SUBJECT_FLAGS.largePages}) % 2 == 1 then
  local pages = redis.pcall('PFCOUNT', uniquePages)
  if type(pages) == 'number' then reply[4] = pages end
end
return reply
`,
}).returns<[record: Buffer, subject?: Buffer, uniquePages?: number] | []>();
