import { defineLua } from '../../redis/index.ts';
import { MINUTES_PER_DAY } from '../utc-days.ts';

/** The most day keys of a session; the oldest is dropped. */
export const MAX_DAYS = 35;

/** `activity_days(counters)` -> the days that have a key, ascending;
 *  `activity_set(counters, today, yesterday, prefix, day, minute)` -> the bits of T-5 to T before, T the lowest; and
 *  whether a day key was made;
 *  `activity_last(today, yesterday, minute)` -> the same bits, nothing set. */
export const activityLua = defineLua({
  name: 'activity',
  source: `
local function activity_days(counters)
  local days = {}
  for _, field in ipairs(redis.call('HKEYS', counters)) do
    if string.sub(field, 1, 1) == 'd' then days[#days + 1] = tonumber(string.sub(field, 2)) end
  end
  table.sort(days)
  return days
end

local function activity_last(today, yesterday, minute)
  if minute >= 5 then return redis.call('BITFIELD', today, 'GET', 'u6', minute - 5)[1] end
  local before = redis.call('BITFIELD', yesterday, 'GET', 'u' .. (5 - minute), ${MINUTES_PER_DAY} - (5 - minute))[1]
  local since = redis.call('BITFIELD', today, 'GET', 'u' .. (minute + 1), 0)[1]
  return before * 2 ^ (minute + 1) + since
end

local function activity_set(counters, today, yesterday, prefix, day, minute)
  local bits = activity_last(today, yesterday, minute)
  if bits % 2 == 1 then return bits, false end
  -- Redis doubles a string that SETBIT makes longer. SET allocates the needed bytes and half an hour more.
  local bytes, needed = redis.call('STRLEN', today), math.floor(minute / 8) + 1
  if bytes < needed then
    local size = math.min(needed + 3, ${MINUTES_PER_DAY / 8})
    redis.call('SET', today, (redis.call('GET', today) or '') .. string.rep('\\0', size - bytes), 'KEEPTTL')
  end
  redis.call('SETBIT', today, minute, 1)
  if redis.call('HSETNX', counters, 'd' .. day, '') == 0 then return bits, false end
  if redis.call('HLEN', counters) > ${MAX_DAYS} then
    local days = activity_days(counters)
    for i = 1, #days - ${MAX_DAYS} do
      redis.call('DEL', prefix .. string.format('%d', days[i]))
      redis.call('HDEL', counters, 'd' .. string.format('%d', days[i]))
    end
  end
  return bits, true
end
`,
});
