import { defineLua } from '../../redis/index.ts';
import { MINUTES_PER_DAY } from '../utc-days.ts';
import { partsLua } from './parts-lua.ts';

/** The most days of the large form; the oldest is dropped. */
export const MAX_DAYS = 35;
/** The most minutes outside the window that the record holds. */
export const SMALL_MINUTES = 96;
/** Bytes of a minute in the record. */
export const MINUTE_SIZE = 4;

/** Active minutes that have left the record's window: in the small form a section of the record, in the large form a hash
 *  of day -> bitmap of 1,440 bits. Needs `record`. Minutes are numbers of the epoch.
 *
 *  `section_find(section, minute)` -> whether it is there, and the position before which it belongs;
 *  `day_has(minute)` -> whether the large form has it; `day_kept(minute)` -> whether it would keep it;
 *  `day_set(minute)` sets it there, and drops the oldest day above 35. */
export const minutesLua = defineLua({
  name: 'minutes',
  uses: [partsLua],
  source: `
local function section_find(section, minute)
  local low, high = 0, #section / ${MINUTE_SIZE}
  while low < high do
    local middle = math.floor((low + high) / 2)
    local each = struct.unpack('>I4', section, middle * ${MINUTE_SIZE} + 1)
    if each == minute then return true, middle * ${MINUTE_SIZE} end
    if each < minute then low = middle + 1 else high = middle end
  end
  return false, low * ${MINUTE_SIZE}
end

local function day_has(minute)
  local bitmap = redis.call('HGET', part('a'), string.format('%d', math.floor(minute / ${MINUTES_PER_DAY})))
  local at = minute % ${MINUTES_PER_DAY}
  local byte = bitmap and string.byte(bitmap, math.floor(at / 8) + 1) or 0
  return math.floor(byte / 2 ^ (7 - at % 8)) % 2 == 1
end

local function oldest_day(days)
  local oldest
  for _, each in ipairs(redis.call('HKEYS', days)) do
    if not oldest or tonumber(each) < oldest then oldest = tonumber(each) end
  end
  return oldest
end

local function day_kept(minute)
  local days = part('a')
  return redis.call('HLEN', days) < ${MAX_DAYS} or math.floor(minute / ${MINUTES_PER_DAY}) >= oldest_day(days)
end

local function day_set(minute)
  local days, day = part('a'), string.format('%d', math.floor(minute / ${MINUTES_PER_DAY}))
  local at = minute % ${MINUTES_PER_DAY}
  local is_new = redis.call('EXISTS', days) == 0
  local bitmap, index = redis.call('HGET', days, day) or '', math.floor(at / 8) + 1
  bitmap = bitmap .. string.rep('\\0', index - #bitmap)
  local byte = string.byte(bitmap, index)
  if math.floor(byte / 2 ^ (7 - at % 8)) % 2 == 0 then byte = byte + 2 ^ (7 - at % 8) end
  redis.call('HSET', days, day, string.sub(bitmap, 1, index - 1) .. string.char(byte) .. string.sub(bitmap, index + 1))
  if is_new then keep_like_record(days) end
  if redis.call('HLEN', days) > ${MAX_DAYS} then
    redis.call('HDEL', days, string.format('%d', oldest_day(days)))
  end
end
`,
});
