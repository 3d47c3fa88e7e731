import { defineScript } from '../../../redis/index.ts';
import { clockLua } from '../../lua/clock-lua.ts';
import { forDeployment } from '../../lua/for-deployment.ts';
import { tryRecordLua } from '../../lua/record-lua.ts';

/** How long a session whose record cannot be read is left alone, in milliseconds. */
const UNREADABLE_MS = 3_600_000;

/** Ends the sessions of a partition whose time is over, `limit` at most. */
export const sweepPartition = forDeployment(({ expiry, finish }) =>
  defineScript({
    name: 'sweep-partition',
    uses: [clockLua, tryRecordLua, expiry, finish],
    keys: ['due', 'lifecycle', 'absent?'],
    args: { namespace: 'text', lifecycleLength: 'number', limit: 'number' },
    output: 'how many sessions were looked at; where that is the limit, there may be more',
    body: `
local tag, now = tag_of(due), now_ms()
local sessions = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)
for _, session in ipairs(sessions) do
  local readable, r = try_record(session_key(namespace, tag, session, 's'))
  if not readable then
    -- It may be of another version, whose processes can read it.
    redis.call('ZADD', due, now + ${UNREADABLE_MS}, session)
  elseif not r or r.ended then
    redis.call('ZREM', due, session)
  elseif r.expires > now then
    redis.call('ZADD', due, r.expires, session)
  else
    -- First a write that needs no memory: then Redis lets the rest of the script run even where its memory is full.
    redis.call('ZREM', due, session)
    finish(namespace, tag, session, r, now, lifecycle, lifecycleLength, 'expired')
  end
end
return #sessions
`,
  }).returns<number>(),
);
