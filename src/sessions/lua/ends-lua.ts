import { FORGET_LUA, KEYS_LUA } from '../../redis/index.ts';

/* ends-lua.ts: Redis functions about the ends of sessions, to stand behind RECORD_LUA.
 *
 * They come in two forms. Outside a Cluster one step writes all: the record, the partition's index, the user's index and
 * the stream of lifecycle events. In a Cluster a step reaches one slot only. There the stream that a script is given is
 * the partition's outbox (outbox.ts), and the user's index is left to others: to the process that asked, and to the
 * outbox entry, whose field `@user` says in whose index there is something to look at. */

const RENEW_LUA = `${KEYS_LUA}
local function renew(r, now, idle, touch_every, absolute)
  if idle < 0 then return false end
  local ends = now + idle + touch_every
  if absolute > 0 then ends = math.min(ends, r.created + absolute) end
  if ends == r.expires or (touch_every > 0 and r.expires >= now + idle and r.expires <= ends) then return false end
  r.expires = ends
  return true
end

local function member_of(tag, session)
  return tag .. ':' .. session
end
`;

/** `renew(r, now, idle, touch_every, absolute)` -> whether the end had to be moved; idle below 0: it stays; absolute 0:
 *  none; `index_end(ns, tag, session, r)` writes the end into the indexes, and `index_user` into the user's alone. */
export const ENDS_LUA: string = `${RENEW_LUA}
-- A user's index lives as long as the last of its sessions.
local function index_user(ns, tag, session, r)
  local index = user_key(ns, r.user)
  -- Members whose records have expired by themselves, where nobody sweeps.
  redis.call('ZREMRANGEBYSCORE', index, '-inf', r.seen - KEPT_AFTER_END)
  redis.call('ZADD', index, r.expires, member_of(tag, session))
  if redis.call('PTTL', index) < r.expires - r.seen + KEPT_AFTER_END then
    redis.call('PEXPIREAT', index, r.expires + KEPT_AFTER_END)
  end
end

local function index_end(ns, tag, session, r)
  redis.call('ZADD', partition_key(ns, tag, 'due'), r.expires, session)
  if r.user then index_user(ns, tag, session, r) end
end
`;

/** As ENDS_LUA, in a Cluster: `index_end` writes into the partition's index, and there is no `index_user`. */
export const ENDS_IN_CLUSTER_LUA: string = `${RENEW_LUA}
local function index_end(ns, tag, session, r)
  redis.call('ZADD', partition_key(ns, tag, 'due'), r.expires, session)
end
`;

/** `tell(stream, length, event, session, ...)` adds a lifecycle entry. */
export const TELL_LUA: string = `
local function tell(stream, length, event, session, ...)
  redis.call('XADD', stream, 'MAXLEN', '~', length, '*', 'event', event, 'session', session, ...)
end
`;

const finishLua = (forgetUser: string, tellEnd: string): string => `${FORGET_LUA}
-- For scripts that look at several: one that cannot be read must not keep them from the others.
local function try_record(key)
  local readable, r = pcall(read_record, key)
  return readable, readable and r or nil
end

local function leave_tombstone(key, r, now)
  r.ended, r.previous, r.user, r.sealed = true, nil, nil, nil
  redis.call('SET', key, pack_header(r), 'PXAT', now + TOMBSTONE_MS)
end

local function finish(ns, tag, session, r, now, stream, length, event, reason)
  local key = session_key(ns, tag, session, 's')
  if r.previous then redis.call('UNLINK', session_key(ns, tag, session, 'sb')) end
  ${tellEnd}
  redis.call('ZREM', partition_key(ns, tag, 'due'), session)
  ${forgetUser}
  r.ended, r.expires = true, math.min(r.expires, event == 'expired' and now or r.expires)
  r.kept = redis.call('EXISTS', partition_key(ns, tag, 'archiving')) == 1
  if r.kept then
    -- There is no way back from it; see record-encryption.ts.
    r.secret = string.sub(redis.sha1hex(r.secret), 1, 32)
    redis.call('SETRANGE', key, 0, pack_header(r))
    redis.call('PEXPIREAT', key, now + KEPT_FOR_ARCHIVE)
    redis.call('ZADD', partition_key(ns, tag, 'ended'), now, session)
    -- The archive's summary is made of them, and a single view is kept for half an hour only.
    for _, calculated in ipairs(calculated_keys(ns, tag, session)) do
      redis.call('PEXPIREAT', calculated, now + KEPT_FOR_ARCHIVE)
    end
    return
  end
  forget_calculated(ns, tag, session)
  if event == 'expired' then
    redis.call('UNLINK', key)
  else
    leave_tombstone(key, r, now)
  end
end
`;

/** `try_record(key)` -> whether it could be read, and r; `leave_tombstone(key, r, now)`;
 *  `finish(ns, tag, session, r, now, stream, length, event, reason)` ends a session: told, out of the indexes, and
 *  either kept for the archive or gone with all that was calculated about it. Needs all but CHANGES_LUA. */
export const FINISH_LUA: string = finishLua(
  `if r.user then redis.call('ZREM', user_key(ns, r.user), member_of(tag, session)) end`,
  `if reason then tell(stream, length, event, session, 'reason', reason) else tell(stream, length, event, session) end`,
);

/** As FINISH_LUA, in a Cluster: out of the user's index the session comes when its end leaves the outbox. */
export const FINISH_IN_CLUSTER_LUA: string = finishLua(
  '',
  `local more = {}
  if reason then more = { 'reason', reason } end
  if r.user then
    more[#more + 1] = '@user'
    more[#more + 1] = r.user
  end
  tell(stream, length, event, session, unpack(more))`,
);
