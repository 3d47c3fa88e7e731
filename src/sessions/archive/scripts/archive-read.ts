import { defineScript } from '../../../redis/index.ts';
import { recordLua } from '../../lua/record-lua.ts';

/** Reads everything that is known of an ended session, in one step, and changes nothing. The sums are those of
 *  `Visits.read`. They are computed here as well, because the serving layer, which may archive too, does not load the
 *  structures.
 *
 *  `activityPrefix`: of the day keys, whose days `counters` names. */
export const archiveRead = defineScript({
  name: 'archive-read',
  uses: [recordLua],
  keys: ['record', 'counters', 'seenPages', 'uniquePages'],
  args: { activityPrefix: 'text' },
  statuses: { done: 1, gone: 0 },
  buffers: true,
  output: `done, the record, and where anything was calculated: all views, unique pages, 1 where that is exact, active
    minutes, and the day and minute of the first where there is one; gone: there is no ended record`,
  body: (status) => `
local r = read_record(record)
if not r or not r.ended then return ${status.gone} end
local reply = { ${status.done}, redis.call('GET', record) }
if redis.call('EXISTS', counters) == 0 then return reply end
reply[3] = tonumber(redis.call('HGET', counters, 'v') or 0)
-- A set while it is small; when it is large, a filter of either engine with a count beside it.
reply[4], reply[5] = redis.pcall('SCARD', seenPages), 1
if type(reply[4]) ~= 'number' then reply[4], reply[5] = redis.call('PFCOUNT', uniquePages), 0 end
local days = {}
for _, field in ipairs(redis.call('HKEYS', counters)) do
  if string.sub(field, 1, 1) == 'd' then days[#days + 1] = tonumber(string.sub(field, 2)) end
end
table.sort(days)
reply[6] = 0
for _, day in ipairs(days) do
  local key = activityPrefix .. string.format('%d', day)
  local minutes = redis.call('BITCOUNT', key)
  if minutes > 0 and not reply[7] then reply[7], reply[8] = day, redis.call('BITPOS', key, 1) end
  reply[6] = reply[6] + minutes
end
return reply
`,
}).returns<[record: Buffer, ...activity: number[]] | []>();
