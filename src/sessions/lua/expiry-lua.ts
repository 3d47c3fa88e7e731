import { defineLua, keysLua, type LuaText } from '../../redis/index.ts';
import { KEPT_AFTER_END_MS } from './retention.ts';

/* expiry-lua.ts: when a session ends, in its record and in the indexes.
 *
 * The texts come in two forms. Outside a Cluster one step writes everything: the record, the partition's index, the
 * user's index and the stream of lifecycle events. In a Cluster a step reaches one slot only. There the stream that a
 * script gets is the partition's outbox (outbox.ts), and the user's index is written by others: by the process that asked
 * for the step, and when the outbox entry is moved, whose field `@user` names the index to look at. */

const renewLua = defineLua({
  name: 'renew',
  source: `
local function renew(r, now, idle, touch_every, absolute)
  if idle < 0 then return false end
  local ends = now + idle + touch_every
  if absolute > 0 then ends = math.min(ends, r.created + absolute) end
  if ends == r.expires or (touch_every > 0 and r.expires >= now + idle and r.expires <= ends) then return false end
  r.expires = ends
  return true
end
`,
});

/** Writes the index of a user's sessions, outside a Cluster: `member_of(tag, session)` -> the session's entry,
 *  `index_user(ns, tag, session, r)` writes when it ends. The index lives as long as the last of its sessions. */
export const userIndexLua: LuaText = defineLua({
  name: 'user-index',
  uses: [keysLua],
  source: `
local function member_of(tag, session)
  return tag .. ':' .. session
end

local function index_user(ns, tag, session, r)
  local index = user_key(ns, r.user)
  -- Without a sweeper, records expire by themselves and leave their entries behind.
  redis.call('ZREMRANGEBYSCORE', index, '-inf', r.seen - ${KEPT_AFTER_END_MS})
  redis.call('ZADD', index, r.expires, member_of(tag, session))
  if redis.call('PTTL', index) < r.expires - r.seen + ${KEPT_AFTER_END_MS} then
    redis.call('PEXPIREAT', index, r.expires + ${KEPT_AFTER_END_MS})
  end
end
`,
});

/** Moves a session's end: `renew(r, now, idle, touch_every, absolute)` -> whether it had to be moved (idle below 0: it
 *  stays; absolute 0: none); `index_end(ns, tag, session, r)` writes it into the indexes. */
export const expiryLua: LuaText = defineLua({
  name: 'expiry',
  uses: [keysLua, userIndexLua, renewLua],
  source: `
local function index_end(ns, tag, session, r)
  redis.call('ZADD', partition_key(ns, tag, 'due'), r.expires, session)
  if r.user then index_user(ns, tag, session, r) end
end
`,
});

/** As `expiryLua`, in a Cluster: `index_end` writes the partition's index alone. */
export const expiryInClusterLua: LuaText = defineLua({
  name: 'expiry-in-cluster',
  uses: [keysLua, renewLua],
  source: `
local function index_end(ns, tag, session, r)
  redis.call('ZADD', partition_key(ns, tag, 'due'), r.expires, session)
end
`,
});
