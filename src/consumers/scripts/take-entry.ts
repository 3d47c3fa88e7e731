import { defineScript } from '../../redis/index.ts';
import { BEGINNING, groupLua, RESTED_MS, RETURNED } from './group-lua.ts';

/** So many entries that are not wanted are passed in one step. */
const MOST_PASSED = 100;
/** Of entries that are in hand, or were given back and rest, so many are looked at: pages of so many. */
const MOST_PAGES = 10;
const PAGE = 100;

/** Acknowledges an entry, and takes the next one: first what this consumer got without learning of it (`recover`), then what
 *  another has had in hand for `takeOverMs` or gave back and has rested, then a new one. `wanted`: events with blanks between them, empty for all; others
 *  are passed and acknowledged.
 *
 *  A gap is answered before anything is taken: entries behind the last that the group got were dropped, or one that was in
 *  hand. `passed`: the end of the gap that the caller knows, so that it is answered once. Entries that were deleted behind the
 *  first one were erased, and are no gap. */
export const takeEntry = defineScript({
  name: 'take-entry',
  uses: [groupLua],
  keys: ['stream'],
  args: {
    group: 'text',
    consumer: 'text',
    acknowledged: 'text',
    passed: 'text',
    takeOverMs: 'number',
    recover: 'flag',
    wanted: 'text',
  },
  statuses: { empty: 0, taken: 1, onlyOthers: 2, noGroup: 3, gap: 4 },
  output: `taken: the id, the fields, and how often the group got it; gap: the id before it, the id behind it, and what to
    give as passed; empty, and onlyOthers where more may follow: the id of the last entry that the group got; noGroup: there is none`,
  body: (status) => `
local last = last_delivered(stream, group)
if not last then return { ${status.noGroup} } end
if acknowledged ~= '' then redis.call('XACK', stream, group, acknowledged) end
local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
first = first and first[1]

-- An entry that is pending: its fields; nil where it is there no more, and then whether that is a gap.
local function pending_fields(id)
  local entry = redis.call('XRANGE', stream, id, id)[1]
  if entry then return entry[2], false end
  if passed ~= id and (not first or is_later(first, id)) then return nil, true end
  redis.call('XACK', stream, group, id)
  return nil, false
end

if recover then
  for _, each in ipairs(redis.call('XPENDING', stream, group, '-', '+', 10, consumer)) do
    local fields, is_gap = pending_fields(each[1])
    if is_gap then return { ${status.gap}, each[1], first or each[1], each[1] } end
    if fields then return { ${status.taken}, each[1], fields, each[4] } end
  end
end
local from = '-'
for _ = 1, ${MOST_PAGES} do
  local page = redis.call('XPENDING', stream, group, 'IDLE', takeOverMs, from, '+', ${PAGE})
  for _, each in ipairs(page) do
    if each[2] ~= '${RETURNED}' or each[3] >= ${RESTED_MS} then
      local fields, is_gap = pending_fields(each[1])
      if is_gap then return { ${status.gap}, each[1], first or each[1], each[1] } end
      if fields then
        redis.call('XCLAIM', stream, group, consumer, 0, each[1])
        return { ${status.taken}, each[1], fields, each[4] + 1 }
      end
    end
  end
  if #page < ${PAGE} then break end
  from = '(' .. page[#page][1]
end

-- Whether entries between the last that the group got and the first that is there were dropped. Where nothing has ever left
-- the stream, none was; Redis 6 does not tell.
local function were_dropped()
  local info = fields_of(redis.call('XINFO', 'STREAM', stream))
  local added = info['entries-added']
  if added and added == info.length then return false end
  if string.match(last, '-(%d+)$') ~= '${BEGINNING}' then return true end
  return added and milliseconds_of(last) ~= milliseconds_of(first) - 1
end
if first and passed ~= first and is_later(first, last) and were_dropped() then
  return { ${status.gap}, last, first, first }
end

local function is_wanted(fields)
  if wanted == '' then return true end
  for i = 1, #fields, 2 do
    if fields[i] == 'event' then return string.find(' ' .. wanted .. ' ', ' ' .. fields[i + 1] .. ' ', 1, true) end
  end
  return false
end
for _ = 1, ${MOST_PASSED} do
  local read = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', 1, 'STREAMS', stream, '>')
  if not read then return { ${status.empty}, last } end
  local id, fields = unpack(read[1][2][1])
  last = id
  if is_wanted(fields) then return { ${status.taken}, id, fields, 1 } end
  redis.call('XACK', stream, group, id)
end
return { ${status.onlyOthers}, last }`,
}).returns<[id: string, more: unknown, last: unknown]>();
