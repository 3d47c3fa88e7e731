import { defineScript, forgetLua } from '../../../redis/index.ts';
import { appendEventLua } from '../../lua/append-event-lua.ts';
import { clockLua } from '../../lua/clock-lua.ts';
import { tombstoneLua } from '../../lua/finish-lua.ts';
import { recordLua } from '../../lua/record-lua.ts';
import { TOMBSTONE_MS } from '../../lua/retention.ts';

/** Deletes a session that was archived: record, calculated data and its waiting entry. Where the session was ended before
 *  its time, the mark that keeps it ended stays until the hour is over that an earlier request may take.
 *
 *  `endedAt` and `attempts` name the entry that waited. */
export const archiveDone = defineScript({
  name: 'archive-done',
  uses: [clockLua, forgetLua, recordLua, tombstoneLua, appendEventLua],
  keys: ['record', 'ended', 'lifecycle', 'absent?'],
  args: { session: 'text', endedAt: 'text', attempts: 'text', namespace: 'text', lifecycleLength: 'number' },
  statuses: { done: 1, gone: 0 },
  output: 'done; gone: the session no longer waited, or nothing was left of it: then only the entry is removed',
  body: (status) => `
local tag, ended_at = tag_of(record), tonumber(endedAt)
local removed = attempts == '0' and redis.call('ZREM', ended, session)
  or redis.call('ZREM', partition_key(namespace, tag, 'failed'), session .. ' ' .. endedAt .. ' ' .. attempts)
if removed == 0 then return ${status.gone} end
local r = read_record(record)
if not r or not r.ended then return ${status.gone} end
forget_calculated(namespace, tag, session)
if ended_at < r.expires and ended_at + ${TOMBSTONE_MS} > now_ms() then
  leave_tombstone(record, r, ended_at)
  leave_subject_tombstone(record, ended_at)
else
  redis.call('UNLINK', record)
end
append_event(lifecycle, lifecycleLength, 'archived', session)
return ${status.done}
`,
});
