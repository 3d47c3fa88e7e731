import { defineScript } from '../../../redis/index.ts';
import { clockLua } from '../../lua/clock-lua.ts';
import { forDeployment } from '../../lua/for-deployment.ts';
import { recordLua } from '../../lua/record-lua.ts';
import { KEPT_AFTER_END_MS } from '../../lua/retention.ts';
import { TOUCHED_FORMAT, TOUCHED_OFFSET } from '../../record/record-header.ts';

/** Moves a session's end, and changes nothing else. In a Cluster the indexes are left to the caller: a step of one key
 *  goes on while its slot moves. */
export const touchRecord = forDeployment(({ isCluster, expiry }) =>
  defineScript({
    name: 'touch-record',
    uses: [clockLua, recordLua, expiry],
    keys: ['record'],
    args: {
      secretHash: 'text',
      session: 'text',
      idleMs: 'number',
      touchEveryMs: 'number',
      absoluteMs: 'number',
      cookieExpiresAt: 'number',
      namespace: 'text',
    },
    buffers: true,
    output: 'the header now; nothing where the session is not there',
    body: `
local now = now_ms()
local r = open_record(record, secretHash, now, absoluteMs)
if not r then return nil end
if renew(r, now, idleMs, touchEveryMs, absoluteMs) or touchEveryMs == 0 then
  r.seen, r.cookie = now, cookieExpiresAt
  redis.call('SETRANGE', record, ${TOUCHED_OFFSET}, struct.pack('${TOUCHED_FORMAT}', r.seen, r.expires, r.cookie))
  redis.call('PEXPIREAT', record, r.expires + ${KEPT_AFTER_END_MS})
  ${isCluster ? '' : 'index_end(namespace, tag_of(record), session, r)'}
end
return pack_header(r)
`,
  }).returns<Buffer | null>(),
);
