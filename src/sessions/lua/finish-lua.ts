import { defineLua, forgetLua, keysLua, type LuaText, SUBJECT_TOMBSTONE } from '../../redis/index.ts';
import { appendEventLua } from './append-event-lua.ts';
import { userIndexLua } from './expiry-lua.ts';
import { recordLua } from './record-lua.ts';
import { KEPT_FOR_ARCHIVE_MS, TOMBSTONE_MS } from './retention.ts';

/** `leave_tombstone(key, r, ended_at)` replaces a record by a mark that its session has ended; `leave_subject_tombstone(key,
 *  ended_at)` does the same to the record of the subject, so that a view that was on its way makes no new one. `key`: of the
 *  session's record. */
export const tombstoneLua: LuaText = defineLua({
  name: 'tombstone',
  uses: [keysLua, recordLua],
  source: `
local function leave_tombstone(key, r, ended_at)
  r.ended, r.previous, r.user, r.sealed = true, nil, nil, nil
  redis.call('SET', key, pack_header(r), 'PXAT', ended_at + ${TOMBSTONE_MS})
end

local function leave_subject_tombstone(key, ended_at)
  redis.call('SET', subject_of(key), '${SUBJECT_TOMBSTONE}', 'PXAT', ended_at + ${TOMBSTONE_MS})
end
`,
});

const finishSource = (forgetUser: string, appendEnd: string): string => `
local function finish(ns, tag, session, r, now, stream, length, event, reason)
  local key = session_key(ns, tag, session, 's')
  if r.previous then redis.call('UNLINK', session_key(ns, tag, session, 'sb')) end
  ${appendEnd}
  redis.call('ZREM', partition_key(ns, tag, 'due'), session)
  ${forgetUser}
  r.ended, r.expires = true, math.min(r.expires, event == 'expired' and now or r.expires)
  r.archived = redis.call('EXISTS', partition_key(ns, tag, 'archiving')) == 1
  if r.archived then
    -- An ended record must not become a living one again; see record-encryption.ts.
    r.secret = string.sub(redis.sha1hex(r.secret), 1, 32)
    redis.call('SETRANGE', key, 0, pack_header(r))
    redis.call('PEXPIREAT', key, now + ${KEPT_FOR_ARCHIVE_MS})
    redis.call('ZADD', partition_key(ns, tag, 'ended'), now, session)
    -- The archive's summary is made of them, and after a single view they would expire within half an hour.
    for _, calculated in ipairs(calculated_keys(ns, tag, session)) do
      redis.call('PEXPIREAT', calculated, now + ${KEPT_FOR_ARCHIVE_MS})
    end
    return
  end
  forget_calculated(ns, tag, session)
  if event == 'expired' then
    redis.call('UNLINK', key)
  else
    leave_tombstone(key, r, now)
    leave_subject_tombstone(key, now)
  end
end
`;

/** Ends a session: `finish(ns, tag, session, r, now, stream, length, event, reason)` appends the lifecycle event and takes
 *  the session out of the indexes. Its data then wait for the archive (`r.archived`), or are deleted with everything that
 *  was calculated about it. */
export const finishLua: LuaText = defineLua({
  name: 'finish',
  uses: [keysLua, forgetLua, tombstoneLua, appendEventLua, userIndexLua],
  source: finishSource(
    `if r.user then redis.call('ZREM', user_key(ns, r.user), member_of(tag, session)) end`,
    `if reason then
    append_event(stream, length, event, session, 'reason', reason)
  else
    append_event(stream, length, event, session)
  end`,
  ),
});

/** As `finishLua`, in a Cluster: the session leaves the user's index when its event leaves the outbox. */
export const finishInClusterLua: LuaText = defineLua({
  name: 'finish-in-cluster',
  uses: [keysLua, forgetLua, tombstoneLua, appendEventLua],
  source: finishSource(
    '',
    `local more = {}
  if reason then more = { 'reason', reason } end
  if r.user then
    more[#more + 1] = '@user'
    more[#more + 1] = r.user
  end
  append_event(stream, length, event, session, unpack(more))`,
  ),
});
