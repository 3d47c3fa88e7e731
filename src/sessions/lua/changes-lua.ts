import { defineLua, type LuaText } from '../../redis/index.ts';

/** Applies changes to packed fields: `changed_body(body, changes)` -> the packed fields after them. `changes` is a list of
 *  name, operation, value, final (`listChanges`); operations: `s` sets the value, `d` deletes the field, `n` adds the
 *  value where an integer stands, else sets `final`. */
export const changesLua: LuaText = defineLua({
  name: 'changes',
  source: `
local function changed_body(body, changes)
  local fields = body == '' and {} or cmsgpack.unpack(body)
  local index_of = {}
  for i = 1, #fields, 2 do index_of[fields[i]] = i end
  local deleted = false
  for i = 1, #changes, 4 do
    local name, operation, value, final = changes[i], changes[i + 1], changes[i + 2], changes[i + 3]
    local index = index_of[name]
    if operation == 'd' then
      if index then fields[index], deleted = false, true end
      index_of[name] = nil
    else
      if operation == 'n' then
        local there = index and string.match(fields[index + 1], '^-?%d+$') and tonumber(fields[index + 1])
        value = there and string.format('%.0f', there + tonumber(value)) or final
      end
      if not index then
        index = #fields + 1
        index_of[name] = index
        fields[index] = name
      end
      fields[index + 1] = value
    end
  end
  if not deleted then return cmsgpack.pack(fields) end
  local left = {}
  for i = 1, #fields, 2 do
    if fields[i] then
      left[#left + 1] = fields[i]
      left[#left + 1] = fields[i + 1]
    end
  end
  return cmsgpack.pack(left)
end
`,
});
