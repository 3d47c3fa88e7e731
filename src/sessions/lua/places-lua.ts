import { defineLua, type LuaText } from '../../redis/index.ts';

/** The most fields of a record that are looked for in place: with more it is faster to read them all. */
const MOST_FIELDS = 256;

/** Finds where changes go in a large record, without reading its fields: `places_of(key, r, changes)` -> a list of offset,
 *  bytes, offset, bytes ...; nil where a change alters the length of a field, adds or deletes one, or there are too many
 *  fields. `changes`: as `changed_body` takes them. A length in a packed list takes 1, 2, 3 or 5 bytes; see
 *  packed-texts.ts. */
export const placesLua: LuaText = defineLua({
  name: 'places',
  source: `
local function length_at(bytes)
  local lead = string.byte(bytes, 1)
  if lead < 0xc0 then return 1, lead - 0xa0 end
  if lead == 0xd9 then return 2, string.byte(bytes, 2) end
  if lead == 0xda then return 3, struct.unpack('>I2', bytes, 2) end
  return 5, struct.unpack('>I4', bytes, 2)
end

local function places_of(key, r, changes)
  local change_of, wanted, at = {}, 0, r.size
  for i = 1, #changes, 4 do
    if change_of[changes[i]] then return nil end
    change_of[changes[i]] = i
    if changes[i + 1] ~= 'd' then wanted = wanted + 1 end
  end
  local lead = redis.call('GETRANGE', key, at, at + 2)
  local count
  if string.byte(lead, 1) < 0xa0 then
    count, at = string.byte(lead, 1) - 0x90, at + 1
  elseif string.byte(lead, 1) == 0xdc then
    count, at = struct.unpack('>I2', lead, 2), at + 3
  end
  if not count or count > ${2 * MOST_FIELDS} then return nil end
  local places = {}
  for _ = 1, count, 2 do
    local start = redis.call('GETRANGE', key, at, at + 36)
    local prefix, size = length_at(start)
    local name = string.sub(start, prefix + 1, prefix + size)
    if #name < size then name = redis.call('GETRANGE', key, at + prefix, at + prefix + size - 1) end
    at = at + prefix + size
    prefix, size = length_at(redis.call('GETRANGE', key, at, at + 4))
    at = at + prefix
    local i = change_of[name]
    if i then
      local operation, value = changes[i + 1], changes[i + 2]
      if operation == 'd' then return nil end
      if operation == 'n' then
        local there = string.match(redis.call('GETRANGE', key, at, at + size - 1), '^-?%d+$')
        value = there and string.format('%.0f', there + tonumber(value)) or changes[i + 3]
      end
      if #value ~= size then return nil end
      wanted = wanted - 1
      places[#places + 1] = at
      places[#places + 1] = value
    end
    at = at + size
  end
  return wanted == 0 and places or nil
end
`,
});
