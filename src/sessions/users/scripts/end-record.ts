import { TELL_LUA } from '../../lua/ends-lua.ts';
import { PlacedScript } from '../../lua/placed-script.ts';
import { RECORD_LUA } from '../../record/record-header.ts';

/** Ends a session.
 *
 *  Input: KEYS record, lifecycle; ARGV hash of the secret or '', session, absolute in milliseconds, namespace, length of
 *         the lifecycle stream, reason, reference of the user it must belong to or '',
 *         until when it may be done, 1 where a session
 *         that is not there must not come to be afterwards.
 *  Output: 1 where it lived until now, else 0: then nothing was written. */
export const endRecord: PlacedScript<0 | 1> = new PlacedScript(
  ({ ends, finish }) => `${RECORD_LUA}${ends}${TELL_LUA}${finish}
local now = now_ms()
refuse_late(ARGV[8], now)
local r = open_record(KEYS[1], ARGV[1], now, tonumber(ARGV[3]))
if not r and ARGV[9] == '1' and redis.call('EXISTS', KEYS[1]) == 0 then
  leave_tombstone(KEYS[1], { secret = ARGV[1], created = now, seen = now, expires = now, cookie = 0, version = 0 }, now)
end
if not r or (ARGV[7] ~= '' and r.user ~= ARGV[7]) then return 0 end
finish(ARGV[4], tag_of(KEYS[1]), ARGV[2], r, now, KEYS[2], ARGV[5], 'ended', ARGV[6])
return 1
`,
);
