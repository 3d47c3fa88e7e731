import { defineScript } from '../../redis/index.ts';
import type { SeenItemsOptions } from '../seen-items.ts';
import { activityLua } from './activity-lua.ts';
import { seenItemsLua } from './seen-items-lua.ts';

/** Makes the script that reads a visit and changes nothing. `dayPrefix`: the beginning of the session's day keys. */
export function readVisitScript(options: SeenItemsOptions) {
  return defineScript({
    name: 'read-visit',
    uses: [seenItemsLua(options), activityLua],
    keys: ['counters', 'seenPages', 'uniquePages', 'today', 'yesterday'],
    args: { minute: 'number', dayPrefix: 'text' },
    output: `all views, unique pages, 1 where that is exact (else 0), the bits of T-5 to T, active minutes;
      and where there are any the day and the minute of the first`,
    body: `
      local total = tonumber(redis.call('HGET', counters, 'v') or 0)
      local unique, exact = seen_count(seenPages, uniquePages)
      local bits = activity_last(today, yesterday, minute)
      local minutes, first_day, first_minute = 0, nil, nil
      for _, day in ipairs(activity_days(counters)) do
        local key = dayPrefix .. string.format('%d', day)
        local count = redis.call('BITCOUNT', key)
        if count > 0 and not first_day then first_day, first_minute = day, redis.call('BITPOS', key, 1) end
        minutes = minutes + count
      end
      return { total, unique, exact, bits, minutes, first_day, first_minute }`,
  }).returns<
    [
      ...[totalPages: number, uniquePages: number, isExact: 0 | 1, bits: number, activeMinutes: number],
      ...[firstDay?: number, firstMinute?: number],
    ]
  >();
}
