import { PlacedScript } from '../../lua/placed-script.ts';
import { RECORD_LUA } from '../../record/record-header.ts';

/** Moves a session's end, and changes nothing else. In a Cluster the indexes are left to the caller: a step of one key
 *  goes on while its slot moves.
 *
 *  Input: KEYS record; ARGV hash of the secret or '', session, idle, touch every, absolute, cookie expires in
 *         milliseconds, namespace.
 *  Output: the header now, or nil where the session is not there. */
export const touchRecord: PlacedScript<Buffer | null> = new PlacedScript(
  ({ isCluster, ends }) => `${RECORD_LUA}${ends}
local now = now_ms()
local idle, touch_every, absolute = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local r = open_record(KEYS[1], ARGV[1], now, absolute)
if not r then return nil end
if renew(r, now, idle, touch_every, absolute) or touch_every == 0 then
  r.seen, r.cookie = now, tonumber(ARGV[6])
  redis.call('SETRANGE', KEYS[1], 42, struct.pack('<ddd', r.seen, r.expires, r.cookie))
  redis.call('PEXPIREAT', KEYS[1], r.expires + KEPT_AFTER_END)
  ${isCluster ? '' : 'index_end(ARGV[7], tag_of(KEYS[1]), ARGV[2], r)'}
end
return pack_header(r)
`,
);
