import { defineLua, type LuaText } from '../../redis/index.ts';
import type { SeenItemsOptions } from '../seen-items.ts';
import { seenFilterLua } from './seen-filter-lua.ts';

/** `seen_add(key, unique_key, item)` -> 1 where the item was seen before, whether a key was made, and the count where the
 *  form is small;
 *  `seen_has(key, items)` -> list of 0 and 1, or a filter for `readAnswers`;
 *  `seen_count(key, unique_key)` -> count, 1 where it is exact.
 *  @throws RangeError for options that cannot be used. */
export function seenItemsLua(options: SeenItemsOptions): LuaText {
  const { exactLimit } = options;
  // 512 is Redis's default set-max-intset-entries: beyond it a set costs eight times as much.
  if (!Number.isInteger(exactLimit) || exactLimit < 0 || exactLimit > 512) {
    throw new RangeError(`exactLimit ${exactLimit} cannot be used: give a whole number from 0 to 512.`);
  }
  return defineLua({
    name: 'seen-items',
    uses: [seenFilterLua(options.engine, options)],
    source: `
local function is_large(key)
  local form = redis.call('TYPE', key).ok
  return form ~= 'set' and form ~= 'none'
end

local function seen_add(key, unique_key, item)
  local added = false
  if ${exactLimit} > 0 then
    added = redis.pcall('SADD', key, item)
    if type(added) == 'number' then
      local count = redis.call('SCARD', key)
      if added == 0 then return 1, false, count end
      if count <= ${exactLimit} then return 0, count == 1, count end
      local members = redis.call('SMEMBERS', key)
      redis.call('DEL', key)
      filter_create(key)
      for _, member in ipairs(members) do filter_add(key, member) end
      redis.call('PFADD', unique_key, unpack(members))
      return 0, true
    end
    -- Anything but "this is a filter already" (out of memory, say) must not reach the DEL below.
    if not string.find(added.err, 'WRONGTYPE', 1, true) then error(added.err) end
  end
  local made = false
  if not is_large(key) then
    local members = redis.call('SMEMBERS', key)
    redis.call('DEL', key)
    filter_create(key)
    for _, member in ipairs(members) do filter_add(key, member) end
    if #members > 0 then redis.call('PFADD', unique_key, unpack(members)) end
    made = true
  end
  local seen = filter_add(key, item)
  if seen == 0 then redis.call('PFADD', unique_key, item) end
  return seen, made
end

local function seen_has(key, items)
  local answers = redis.pcall('SMISMEMBER', key, unpack(items))
  if answers.err == nil then return answers end
  return filter_fetch_or_has(key, items)
end

local function seen_count(key, unique_key)
  local count = redis.pcall('SCARD', key)
  if type(count) == 'number' then return count, 1 end
  return redis.call('PFCOUNT', unique_key), 0
end
`,
  });
}
