import { defineScript } from '../../redis/index.ts';
import { activityLua } from './activity-lua.ts';

/** Marks a minute of a session as active. `dayPrefix`: the beginning of its day keys. */
export const setMinute = defineScript({
  name: 'set-minute',
  uses: [activityLua],
  keys: ['counters', 'today', 'yesterday'],
  args: { dayPrefix: 'text', day: 'number', minute: 'number', retentionSeconds: 'number' },
  statuses: { newlyActive: 0, wasActive: 1 },
  output: 'newlyActive, or wasActive where the minute had been set before',
  body: (status) => `
    local bits = activity_set(counters, today, yesterday, dayPrefix, day, minute)
    redis.call('EXPIRE', counters, retentionSeconds)
    redis.call('EXPIRE', today, retentionSeconds)
    return bits % 2 == 1 and ${status.wasActive} or ${status.newlyActive}`,
});
