import { defineScript, joinLua, type LuaText } from '../../../redis/index.ts';
import { appendEventLua } from '../../lua/append-event-lua.ts';
import { changesLua } from '../../lua/changes-lua.ts';
import { clockLua, refuseLateLua } from '../../lua/clock-lua.ts';
import { forDeployment } from '../../lua/for-deployment.ts';
import { NEXT_VERSION, recordLua, tryRecordLua } from '../../lua/record-lua.ts';
import { ENTRIES_PER_LOGIN } from '../../lua/reservation-lua.ts';

const STATUSES = {
  done: 1,
  gone: 0,
  conflict: -1,
  sealed: -2,
  limitReached: -4,
  tooManyToEnd: -5,
  notReserved: -6,
} as const;

/* Applies the limit: ends the sessions that are too many, or refuses. However many sessions the user has, it looks only
 * at those that end first. */
const capLua = (finish: LuaText, outside: readonly LuaText[]): string => `
  ${joinLua([tryRecordLua, finish], outside)}
  local index, others, after_now = user_key(namespace, user), {}, '(' .. string.format('%.0f', now)
  local count, candidates = redis.call('ZCOUNT', index, after_now, '+inf'), {}
  if count >= maxSessions then
    candidates = redis.call('ZRANGEBYSCORE', index, after_now, '+inf', 'LIMIT', 0, ${ENTRIES_PER_LOGIN})
  end
  for _, member in ipairs(candidates) do
    local its_tag, its_session = string.match(member, '^(%w+):(.+)$')
    local readable, its_record = try_record(session_key(namespace, its_tag, its_session, 's'))
    if its_record and not its_record.ended and its_record.expires > now and its_record.user == user then
      others[#others + 1] = { tag = its_tag, session = its_session, r = its_record }
    else
      count = count - 1
      if readable then redis.call('ZREM', index, member) end
    end
  end
  if count >= maxSessions and onLimit == 'refuse' then return ${STATUSES.limitReached} end
  if count - maxSessions + 1 > #others then return ${STATUSES.tooManyToEnd} end
  table.sort(others, function(one, other) return one.r.seen < other.r.seen end)
  for i = 1, count - maxSessions + 1 do
    finish(namespace, others[i].tag, others[i].session, others[i].r, now, lifecycle, lifecycleLength, 'ended', 'limit')
    result[#result + 1] = others[i].session
  end`;

/** Gives a session to a user, if the user may have one more.
 *
 *  Outside a Cluster the limit is applied here, and the user's index is written in the same step as the record. In a
 *  Cluster both are done before, in the user's slot (login-reservations.ts), and the lifecycle event names the index that
 *  the session has left.
 *
 *  `user`: the user's reference. `version`: the one that was loaded. `fields`: packed. `changes`: packed, or '' where
 *  they cannot be applied by Redis. `maxSessions`: 0 for any number; not used in a Cluster. `onLimit`: `refuse` or
 *  `end-oldest`. `hasReservation`: whether the login was reserved, in a Cluster. */
export const identifyRecord = forDeployment(({ isCluster, expiry, finish }) => {
  const outside = [clockLua, recordLua, expiry, appendEventLua];
  return defineScript({
    name: 'identify-record',
    uses: [...outside, refuseLateLua],
    keys: ['record', 'lifecycle', 'absent?'],
    args: {
      secretHash: 'text',
      session: 'text',
      user: 'text',
      absoluteMs: 'number',
      version: 'number',
      fields: 'text',
      isSealed: 'flag',
      changes: 'text',
      namespace: 'text',
      lifecycleLength: 'number',
      maxSessions: 'number',
      onLimit: 'text',
      hasReservation: 'flag',
      notAfter: 'number',
    },
    statuses: STATUSES,
    buffers: true,
    output: `done, the header now, the sessions that were ended ...; gone: the session is not there;
      conflict: others have changed it, and no changes were sent; sealed: it is, and changes were sent;
      limitReached: the user may have no more sessions; tooManyToEnd: more would have to end than one step looks at;
      notReserved: in a Cluster, it is not the user's as was thought, and no login was reserved`,
    body: (status) => `
local now, tag = now_ms(), tag_of(record)
refuse_late(notAfter, now)
local r = open_record(record, secretHash, now, absoluteMs)
if not r then return ${status.gone} end
${isCluster ? `if not hasReservation and r.user ~= user then return ${status.notReserved} end` : ''}
local body = fields
if r.version ~= version then
  if changes == '' then return ${status.conflict} end
  if r.sealed then return ${status.sealed} end
  ${joinLua([changesLua])}
  body = changed_body(body_of(record, r), cmsgpack.unpack(changes))
end

-- The copy that the previous secret may read is from before the login; a change of rights ends that.
if r.previous then redis.call('UNLINK', session_key(namespace, tag, session, 'sb')) end
local result = { ${status.done}, '' }
${isCluster ? '' : `if maxSessions > 0 and r.user ~= user then ${capLua(finish, outside)}\nend`}

local left = r.user ~= user and r.user or nil
${isCluster ? '' : `if left then redis.call('ZREM', user_key(namespace, left), member_of(tag, session)) end`}
r.user, r.sealed, r.seen, r.version = user, isSealed, now, ${NEXT_VERSION}
result[2] = pack_header(r)
redis.call('SET', record, result[2] .. body, 'KEEPTTL')
${isCluster ? '' : 'index_user(namespace, tag, session, r)'}
-- The event does not name the user: it outlives the session, and the name of an erased user would stay in it.
append_event(lifecycle, lifecycleLength, 'identified', session${isCluster ? ", unpack(left and { '@user', left } or {})" : ''})
return result
`,
  }).returns<[header: Buffer, ...ended: Buffer[]] | []>();
});
