import { Script } from '../../../redis/index.ts';
import { ENDS_LUA, FINISH_LUA, TELL_LUA } from '../../lua/ends-lua.ts';
import { RECORD_LUA } from '../../record/record-header.ts';

/** Reads all that is known of an ended session, in one step, and changes nothing. The sums are those of
 *  `Visits.read`; they are made here again, because the serving layer, which may archive too, does not load the
 *  structures.
 *
 *  Input: KEYS record, facts, seen pages, unique pages; ARGV prefix of day keys.
 *  Output: nil where there is no such record; else { record }, and where anything was calculated { record, all views,
 *  unique pages, 1 where that is exact, active minutes, and the day and minute of the first where there is one }. */
export const archiveRead: Script<[Buffer, ...number[]] | null> =
  new Script(`${RECORD_LUA}${ENDS_LUA}${TELL_LUA}${FINISH_LUA}
local r = read_record(KEYS[1])
if not r or not r.ended then return nil end
local reply = { redis.call('GET', KEYS[1]) }
if redis.call('EXISTS', KEYS[2]) == 0 then return reply end
reply[2] = tonumber(redis.call('HGET', KEYS[2], 'v') or 0)
-- A set while it is small; a filter of either engine, and a count beside it, when it is large.
reply[3], reply[4] = redis.pcall('SCARD', KEYS[3]), 1
if type(reply[3]) ~= 'number' then reply[3], reply[4] = redis.call('PFCOUNT', KEYS[4]), 0 end
local days = {}
for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
  if string.sub(field, 1, 1) == 'd' then days[#days + 1] = tonumber(string.sub(field, 2)) end
end
table.sort(days)
reply[5] = 0
for _, day in ipairs(days) do
  local key = ARGV[1] .. string.format('%d', day)
  local minutes = redis.call('BITCOUNT', key)
  if minutes > 0 and not reply[6] then reply[6], reply[7] = day, redis.call('BITPOS', key, 1) end
  reply[5] = reply[5] + minutes
end
return reply
`);
