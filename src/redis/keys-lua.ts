import { CALCULATED_PARTS, PARTS, TAG_LENGTH } from './key-parts.ts';
import { defineLua, type LuaText } from './lua-text.ts';

/** Builds key names in scripts that learn them only as they run: `tag_of(key)`, `session_key(ns, tag, session, part)`,
 *  `subject_of(record_key)`,
 *  `partition_key(ns, tag, name)` for `due`, `ended`, `failed` and `archiving`, `user_key(ns, user)`. */
export const keysLua: LuaText = defineLua({
  name: 'keys',
  source: `
local function tag_of(key)
  return string.match(key, '{(%w+)}')
end

local function session_key(ns, tag, session, part)
  return ns .. ':{' .. tag .. '}:' .. session .. ':' .. part
end

local function subject_of(record_key)
  return string.sub(record_key, 1, -2) .. '${PARTS.subject}'
end

local function partition_key(ns, tag, name)
  return ns .. ':{' .. tag .. '}:@' .. name
end

local function user_key(ns, user)
  return ns .. ':{' .. string.sub(user, 1, ${TAG_LENGTH}) .. '}:@user:' .. string.sub(user, ${TAG_LENGTH + 1})
end
`,
});

/** Finds and deletes the calculated data of a session: `calculated_keys(ns, tag, session)` lists the keys that may
 *  exist, `forget_calculated(ns, tag, session)` deletes them. */
export const forgetLua: LuaText = defineLua({
  name: 'forget',
  uses: [keysLua],
  source: `
local function calculated_keys(ns, tag, session)
  local keys = {}
  for part in string.gmatch('${CALCULATED_PARTS.join(' ')}', '%w+') do
    keys[#keys + 1] = session_key(ns, tag, session, part)
  end
  return keys
end

local function forget_calculated(ns, tag, session)
  redis.call('UNLINK', unpack(calculated_keys(ns, tag, session)))
end
`,
});
