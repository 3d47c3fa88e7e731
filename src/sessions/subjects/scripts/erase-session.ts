import { defineScript } from '../../../redis/index.ts';
import { clockLua } from '../../lua/clock-lua.ts';
import { tombstoneLua } from '../../lua/finish-lua.ts';
import { forDeployment } from '../../lua/for-deployment.ts';
import { tryRecordLua } from '../../lua/record-lua.ts';

/** Erases a session: its record, the copy of before a rotation, everything that was calculated about it, and its places
 *  in the indexes and in the queue of the archive. A living session ends first, as by `end`, so that readers of the
 *  lifecycle stream hear of it; the caller deletes that event too. Two marks without content stay for an hour, so that no
 *  request of before brings anything back.
 *
 *  `user`: the reference of the user that it must belong to, or ''. */
export const eraseSession = forDeployment(({ finish }) =>
  defineScript({
    name: 'erase-session',
    uses: [clockLua, tryRecordLua, tombstoneLua, finish],
    keys: ['record', 'lifecycle', 'absent?'],
    args: { session: 'text', user: 'text', namespace: 'text', lifecycleLength: 'number' },
    statuses: { done: 1, gone: 0, notTheirs: 2, unreadable: -7 },
    output: `done, 1 where there were session data, how many keys of calculated data there were, how often it waited for
      the archive; gone: there is no record but a mark that it has ended; notTheirs: it is another's; unreadable: whose it is cannot be read`,
    body: (status) => `
local now, tag = now_ms(), tag_of(record)
local readable, r = try_record(record)
if user ~= '' and not readable then return { ${status.unreadable} } end
-- A mark that a session has ended has no fields.
local is_mark = readable and r and r.ended and redis.call('GETRANGE', record, r.size, r.size) == ''
if user ~= '' and (not r or is_mark) then return { ${status.gone} } end
if user ~= '' and r.user ~= user then return { ${status.notTheirs} } end
local has_data = redis.call('EXISTS', record) == 1 and not is_mark

local ended, failed = partition_key(namespace, tag, 'ended'), partition_key(namespace, tag, 'failed')
local waiting, cursor = redis.call('ZREM', ended, session), '0'
repeat
  local page = redis.call('ZSCAN', failed, cursor, 'MATCH', session .. ' *', 'COUNT', 1000)
  cursor = page[1]
  for i = 1, #page[2], 2 do waiting = waiting + redis.call('ZREM', failed, page[2][i]) end
until cursor == '0'

local parts = redis.call('UNLINK', unpack(calculated_keys(namespace, tag, session)))
-- The mark of the subject stands beside that of the session.
if is_mark then parts = math.max(0, parts - 1) end
if readable and r and not r.ended then
  finish(namespace, tag, session, r, now, lifecycle, lifecycleLength, 'ended', 'erased')
  redis.call('ZREM', ended, session)
end
redis.call('ZREM', partition_key(namespace, tag, 'due'), session)
redis.call('UNLINK', record, session_key(namespace, tag, session, 'sb'))
leave_tombstone(record,
  { secret = string.rep('\\0', 32), created = 0, seen = 0, expires = 0, cookie = 0, version = 0 }, now)
leave_subject_tombstone(record, now)
return { ${status.done}, has_data and 1 or 0, parts, waiting }
`,
  }).returns<[hasData: number, parts: number, waiting: number] | []>(),
);
