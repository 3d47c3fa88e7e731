import { defineScript, keysLua } from '../../../redis/index.ts';
import { appendEventLua } from '../../lua/append-event-lua.ts';
import { clockLua, refuseLateLua } from '../../lua/clock-lua.ts';
import { NEXT_VERSION, recordLua } from '../../lua/record-lua.ts';

/** Gives a session another secret. With a grace, a copy of the record stays beside the new one until the grace is over:
 *  the previous secret can read that copy and nothing else. An unsent secret, which no client has, does not become the
 *  previous one: requests still come with the one before it.
 *
 *  `graceMs`: how long the previous secret is remembered. `sealedBody`: the fields sealed for the new secret, or '' where
 *  they are not sealed; `sealedVersion`: the version in which they were loaded. */
export const rotateRecord = defineScript({
  name: 'rotate-record',
  uses: [clockLua, refuseLateLua, keysLua, recordLua, appendEventLua],
  keys: ['record', 'lifecycle', 'absent?'],
  args: {
    secretHash: 'text',
    session: 'text',
    newHash: 'text',
    graceMs: 'number',
    absoluteMs: 'number',
    lifecycleLength: 'number',
    notAfter: 'number',
    namespace: 'text',
    hasGrace: 'flag',
    sealedBody: 'text',
    sealedVersion: 'number',
    isUnsent: 'flag',
  },
  statuses: { done: 1, gone: 0, conflict: -1, sealed: -2 },
  buffers: true,
  output: `done, the header now; gone: the session is not there, or the secret is not the current one;
    conflict: the session has changed since its fields were sealed; sealed: the fields are, and none were sent`,
  body: (status) => `
local now = now_ms()
refuse_late(notAfter, now)
local r = open_record(record, secretHash, now, absoluteMs)
if not r then return ${status.gone} end
local body = sealedBody
if body == '' then
  if r.sealed then return ${status.sealed} end
  body = body_of(record, r)
elseif r.version ~= sealedVersion then
  return ${status.conflict}
else
  r.sealed = true
end
local copy = session_key(namespace, tag_of(record), session, 'sb')
local copies, unsent = hasGrace and graceMs > 0, isUnsent and r.previous
if copies and not unsent then redis.call('SET', copy, redis.call('GET', record), 'PX', graceMs) end
r.previous, r.secret = unsent or r.secret, newHash
-- With no time to remember it, never: a reader compares with a clock that it measured, which may be a little behind.
r.previous_until = graceMs > 0 and now + graceMs or 0
r.version = ${NEXT_VERSION}
local header = pack_header(r)
redis.call('SET', record, header .. body, 'KEEPTTL')
-- Not earlier: a Redis without memory refuses only the first write of a script, and a deletion would be that.
if not copies then redis.call('UNLINK', copy) end
append_event(lifecycle, lifecycleLength, 'rotated', session)
return { ${status.done}, header }
`,
}).returns<[header: Buffer] | []>();
