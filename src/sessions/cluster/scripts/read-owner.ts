import { defineScript } from '../../../redis/index.ts';
import { clockLua } from '../../lua/clock-lua.ts';
import { tryRecordLua } from '../../lua/record-lua.ts';

/** Reads which user a session belongs to. */
export const readOwner = defineScript({
  name: 'read-owner',
  uses: [clockLua, tryRecordLua],
  keys: ['record'],
  statuses: { owned: 1, unowned: 0, unreadable: -7 },
  output: `owned, the user's reference, when it was last written; unowned: it does not live, or belongs to no user;
    unreadable: its record is of another version`,
  body: (status) => `
local readable, r = try_record(record)
if not readable then return ${status.unreadable} end
if not r or r.ended or not r.user or r.expires <= now_ms() then return ${status.unowned} end
return { ${status.owned}, r.user, string.format('%.0f', r.seen) }
`,
}).returns<[user: string, lastSeenAt: string] | []>();
