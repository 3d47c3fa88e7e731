import { defineScript } from '../../redis/index.ts';
import type { SeenItemsOptions } from '../seen-items.ts';
import { activityLua } from './activity-lua.ts';
import { seenItemsLua } from './seen-items-lua.ts';

/** Makes the script of a page view, which is one atomic step. `page`: its item key; `dayPrefix`: the beginning of the
 *  session's day keys.
 *
 *  It moves the expiry once a minute of activity and not at each view, that of marked items and notices once a day: of 30
 *  days that is nothing, and every EXPIRE is a tenth of this script's time. */
export function recordVisitScript(options: SeenItemsOptions) {
  return defineScript({
    name: 'record-visit',
    uses: [seenItemsLua(options), activityLua],
    keys: [
      'counters',
      'seenPages',
      'uniquePages',
      'today',
      'yesterday',
      'seenItems',
      'uniqueItems',
      'foreignNotices',
      'noticeRings',
    ],
    args: {
      page: 'text',
      dayPrefix: 'text',
      day: 'number',
      minute: 'number',
      retentionSeconds: 'number',
      bounceSeconds: 'number',
    },
    output: 'all views, unique pages, 1 where the page was seen before (else 0), and the bits of T-5 to T before',
    body: `
      local total = redis.call('HINCRBY', counters, 'v', 1)
      local seen, seen_made, unique = seen_add(seenPages, uniquePages, page)
      local bits, day_made = activity_set(counters, today, yesterday, dayPrefix, day, minute)
      local minute_made = bits % 2 == 0
      local function expire_view(seconds)
        redis.call('EXPIRE', counters, seconds)
        redis.call('EXPIRE', seenPages, seconds)
        if not unique then redis.call('EXPIRE', uniquePages, seconds) end
        redis.call('EXPIRE', today, seconds)
      end
      if total == 1 then
        expire_view(bounceSeconds)
      elseif total == 2 or minute_made or seen_made then
        expire_view(retentionSeconds)
        if total == 2 or day_made or retentionSeconds < 172800 then
          for _, key in ipairs({ seenItems, uniqueItems, foreignNotices, noticeRings }) do
            redis.call('EXPIRE', key, retentionSeconds)
          end
        end
        if total == 2 then
          for _, each in ipairs(activity_days(counters)) do
            redis.call('EXPIRE', dayPrefix .. string.format('%d', each), retentionSeconds)
          end
        end
      end
      return { total, unique or (seen_count(seenPages, uniquePages)), seen, bits }`,
  }).returns<[totalPages: number, uniquePages: number, seen: 0 | 1, bits: number]>();
}
