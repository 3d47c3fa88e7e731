import { defineScript, forgetLua } from '../../../redis/index.ts';
import { clockLua, refuseLateLua } from '../../lua/clock-lua.ts';
import { tombstoneLua } from '../../lua/finish-lua.ts';
import { forDeployment } from '../../lua/for-deployment.ts';
import { recordLua } from '../../lua/record-lua.ts';

/** Ends a session.
 *
 *  `user`: the reference of the user that it must belong to, or ''. With `isForestalled`, a session that is not there
 *  cannot be made afterwards. */
export const endRecord = forDeployment(({ expiry, finish }) =>
  defineScript({
    name: 'end-record',
    uses: [clockLua, refuseLateLua, recordLua, forgetLua, tombstoneLua, expiry, finish],
    keys: ['record', 'lifecycle', 'absent?'],
    args: {
      secretHash: 'text',
      session: 'text',
      absoluteMs: 'number',
      namespace: 'text',
      lifecycleLength: 'number',
      reason: 'text',
      user: 'text',
      notAfter: 'number',
      isForestalled: 'flag',
    },
    statuses: { done: 1, gone: 0 },
    output: "done: it lived until now; gone: it did not, or is not that user's",
    body: (status) => `
local now = now_ms()
refuse_late(notAfter, now)
local r = open_record(record, secretHash, now, absoluteMs)
if not r and isForestalled and redis.call('EXISTS', record) == 0 then
  r = { secret = secretHash, created = now, seen = now, expires = now, cookie = 0, version = 0 }
  leave_tombstone(record, r, now)
  forget_calculated(namespace, tag_of(record), session)
  leave_subject_tombstone(record, now)
  return ${status.gone}
end
if not r or (user ~= '' and r.user ~= user) then return ${status.gone} end
finish(namespace, tag_of(record), session, r, now, lifecycle, lifecycleLength, 'ended', reason)
return ${status.done}
`,
  }),
);
