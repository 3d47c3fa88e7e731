import { defineLua, type LuaText } from '../../redis/index.ts';
import type { SeenItemsOptions } from '../seen-items-options.ts';
import { partsLua } from './parts-lua.ts';
import { seenFilterLua } from './seen-filter-lua.ts';

/** Characters of an encrypted item, as Lua has them. */
export const ITEM_SIZE = 8;

/** The large form of seen items, a seen filter and a unique count beside it. Needs `record`, the key of the record.
 *
 *  `large_add(kind, item)` -> 1 where the filter held the item, else 0; makes parts that are missing;
 *  `large_from(kind, section)` makes the large form from a section of the record. */
export function largeItemsLua(options: SeenItemsOptions): LuaText {
  return defineLua({
    name: 'large-items',
    uses: [partsLua, seenFilterLua(options.engine, options)],
    source: `
local function large_add(kind, item)
  local filter, count = part(kind), part(kind .. 'u')
  if redis.call('EXISTS', filter) == 0 then
    filter_create(filter)
    keep_like_record(filter)
  end
  local seen = filter_add(filter, item)
  local is_new = redis.call('EXISTS', count) == 0
  if seen == 0 or is_new then redis.call('PFADD', count, item) end
  if is_new then keep_like_record(count) end
  return seen
end

local function large_from(kind, section)
  redis.call('DEL', part(kind), part(kind .. 'u'))
  for at = 1, #section, ${ITEM_SIZE} do large_add(kind, string.sub(section, at, at + ${ITEM_SIZE - 1})) end
end
`,
  });
}
