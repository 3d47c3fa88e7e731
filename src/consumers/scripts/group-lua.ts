import { defineLua, type LuaText } from '../../redis/index.ts';

/** What the scripts of consumers share. An id of a stream is "<milliseconds>-<number>".
 *
 *  `fields_of(info)` makes a table of a flat list; `is_later(id, other)` compares ids; `milliseconds_of(id)` is the first
 *  part of one. `last_delivered(stream, group)` is the id of the last entry that the group got; nil where the stream or the
 *  group does not exist. */
export const groupLua: LuaText = defineLua({
  name: 'consumer-group',
  source: `
local function fields_of(info)
  local fields = {}
  for i = 1, #info, 2 do fields[info[i]] = info[i + 1] end
  return fields
end

local function milliseconds_of(id)
  return tonumber(string.match(id, '^(%d+)'))
end

local function is_later(id, other)
  local one, two = milliseconds_of(id), milliseconds_of(other)
  if one ~= two then return one > two end
  return tonumber(string.match(id, '-(%d+)$')) > tonumber(string.match(other, '-(%d+)$'))
end

local function last_delivered(stream, group)
  if redis.call('EXISTS', stream) == 0 then return nil end
  for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local fields = fields_of(info)
    if fields.name == group then return fields['last-delivered-id'] end
  end
  return nil
end
`,
});

/** The second part of an id at which a group began that had read nothing then: no entry has it. */
export const BEGINNING = '18446744073709551615';

/** The consumer that has what others gave back. */
export const RETURNED = 'returned';

/** When an entry that was given back has rested: then it counts as in hand for so long, in milliseconds. Loops of a group
 *  may have different times after which they take over. */
export const RESTED_MS = 86_400_000;
