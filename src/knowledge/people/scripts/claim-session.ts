import { defineScript, hasFlag, PACK_SUBJECT_HEADER, SUBJECT_FLAGS, SUBJECT_TOMBSTONE } from '../../../redis/index.ts';
import { partsLua } from '../../scripts/parts-lua.ts';
import { readRecord } from '../../scripts/record-lua.ts';

/** Claims what is known of a session for a person: from then on all that is still noted of it is the person's. Claims
 *  nothing where `person` is empty, and only reads. `now`: the time by Redis's clock, in seconds of the epoch; `seconds`:
 *  how long the claim is kept. */
export const claimSession = defineScript({
  name: 'claim-session',
  uses: [partsLua],
  keys: ['record', 'claim', 'merging', 'absent?'],
  args: { session: 'text', person: 'text', now: 'number', seconds: 'number' },
  statuses: { nothing: 0, claimed: 1, other: 2 },
  buffers: true,
  output: `claimed: it is this person's; other: it is another person's, or no person was named. Both with the person, when it
    was claimed (microseconds), its number, the number that was merged, the time (microseconds), and the record. nothing: it is nobody's and no person
    was named, or the session has ended`,
  body: (status) => `
if redis.call('GET', record) == '${SUBJECT_TOMBSTONE}' then return { ${status.nothing} } end
local time = redis.call('TIME')
local micro = string.format('%.0f', time[1] * 1000000 + time[2])
local to, at, dirty, clean = unpack(redis.call('HMGET', claim, 'to', 'at', 'dirty', 'clean'))
if not to then
  if person == '' then return { ${status.nothing} } end
  to, at, dirty = person, micro, micro
  ${readRecord(`{ ${status.nothing} }`)}
  if not (${hasFlag(SUBJECT_FLAGS.claimed)}) then flags = flags + ${SUBJECT_FLAGS.claimed} end
  moved = now
  local head = ${PACK_SUBJECT_HEADER}
  if body then redis.call('SETRANGE', record, 0, head) else redis.call('SET', record, head) end
  redis.call('HSET', claim, 'to', to, 'at', at, 'dirty', dirty)
  renew(flags, seconds)
  redis.call('ZADD', merging, math.floor(tonumber(micro) / 1000), session)
end
return { to == person and ${status.claimed} or ${status.other}, to, at, dirty, clean or '0', micro,
  redis.call('GET', record) }
`,
}).returns<[to: Buffer, at: Buffer, dirty: Buffer, clean: Buffer, time: Buffer, record: Buffer | null] | []>();
