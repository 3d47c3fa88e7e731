import { KEYS_LUA, Script } from '../../../redis/index.ts';
import { TELL_LUA } from '../../lua/ends-lua.ts';
import { RECORD_LUA } from '../../record/record-header.ts';

/** Gives a session another secret. With a grace, the record as it was stays beside the new one until that is over: it is
 *  all that the previous secret can read. A secret that was never sent does not become the previous one: requests still
 *  come with the one before it.
 *
 *  Input: KEYS record, lifecycle; ARGV hash of the secret, session, hash of the new one, how long the previous one is
 *         remembered in milliseconds, absolute in milliseconds, length of the lifecycle stream, until when it may be
 *         done, namespace, 1 where there is a grace, the fields sealed for the new secret with the version that they
 *         were loaded in, or '' and '', and 1 where the secret was never sent.
 *  Output: { 1, the header now }; { 0 } where the session is not there, or the secret is not the current one; { -1 }
 *  where others have changed what was sealed; { -2 } where the fields are sealed and no sealed ones were sent. */
export const rotateRecord: Script<[1, Buffer] | [0 | -1 | -2]> = new Script(`${RECORD_LUA}${KEYS_LUA}${TELL_LUA}
local now, remembered = now_ms(), tonumber(ARGV[4])
refuse_late(ARGV[7], now)
local r = open_record(KEYS[1], ARGV[1], now, tonumber(ARGV[5]))
if not r then return { 0 } end
local body = ARGV[10]
if body == '' then
  if r.sealed then return { -2 } end
  body = body_of(KEYS[1], r)
elseif r.version ~= tonumber(ARGV[11]) then
  return { -1 }
else
  r.sealed = true
end
local before = session_key(ARGV[8], tag_of(KEYS[1]), ARGV[2], 'sb')
local reads, unsent = ARGV[9] == '1' and remembered > 0, ARGV[12] == '1' and r.previous
if reads and not unsent then redis.call('SET', before, redis.call('GET', KEYS[1]), 'PX', remembered) end
r.previous, r.secret = unsent or r.secret, ARGV[3]
-- With no time to remember it, never: a reader compares with a clock that it measured, which may be a little behind.
r.previous_until = remembered > 0 and now + remembered or 0
r.version = (r.version + 1) % 4294967296
local header = pack_header(r)
redis.call('SET', KEYS[1], header .. body, 'KEEPTTL')
-- Not before: Redis without memory refuses no script that has already written.
if not reads then redis.call('UNLINK', before) end
tell(KEYS[2], ARGV[6], 'rotated', ARGV[2])
return { 1, header }
`);

/** Takes back a rotation whose new token nobody got: the answer was lost on its way. The copy of its grace goes too. Where
 *  the secret before was never sent, the previous one stays what it is.
 *
 *  Input: KEYS record; ARGV hash of the secret before, hash of the one that nobody got, the fields sealed for the secret
 *         before with the version that they were loaded in, or '' and '', then namespace and session.
 *  Output: 1 where it had been done, and is undone; -1 where others have changed what was sealed. */
export const undoRotation: Script<0 | 1 | -1> = new Script(`${RECORD_LUA}${KEYS_LUA}
local r, body = read_record(KEYS[1]), ARGV[3]
if not r or r.ended or r.secret ~= ARGV[2] or not r.previous then return 0 end
if body == '' then
  if r.sealed then return 0 end
  body = body_of(KEYS[1], r)
elseif r.version ~= tonumber(ARGV[4]) then
  return -1
end
local was_sent = r.previous == ARGV[1]
r.secret = ARGV[1]
if was_sent then r.previous, r.previous_until = nil, nil end
r.version = (r.version + 1) % 4294967296
redis.call('SET', KEYS[1], pack_header(r) .. body, 'KEEPTTL')
if was_sent then redis.call('UNLINK', session_key(ARGV[5], tag_of(KEYS[1]), ARGV[6], 'sb')) end
return 1
`);
