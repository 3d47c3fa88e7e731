import { Script } from '../../redis/index.ts';
import { RECORD_LUA } from '../record.ts';
import { TELL_LUA } from './ends-lua.ts';

/** Gives a session another secret.
 *
 *  Input: KEYS record, lifecycle; ARGV hash of the secret, session, hash of the new one, grace in milliseconds, absolute
 *         in milliseconds, length of the lifecycle stream, and until when it may be done.
 *  Output: { 1, the header now }; { 0 } where the session is not there; { -1 } where the secret is the previous one: who
 *  has only that must not get a new one. */
export const rotateRecord: Script<[1, Buffer] | [0 | -1]> = new Script(`${RECORD_LUA}${TELL_LUA}
local now = now_ms()
refuse_late(ARGV[7], now)
local r = open_record(KEYS[1], ARGV[1], now, tonumber(ARGV[5]))
if not r then return { 0 } end
if r.old then return { -1 } end
local body = body_of(KEYS[1], r)
r.previous, r.previous_until, r.secret = r.secret, now + tonumber(ARGV[4]), ARGV[3]
local header = pack_header(r)
redis.call('SET', KEYS[1], header .. body, 'KEEPTTL')
tell(KEYS[2], ARGV[6], 'rotated', ARGV[2])
return { 1, header }
`);

/** Takes back a rotation whose new token nobody got: the answer was lost on its way.
 *
 *  Input: KEYS record; ARGV hash of the secret before, hash of the one that nobody got.
 *  Output: 1 where it had been done, and is undone. */
export const undoRotation: Script<0 | 1> = new Script(`${RECORD_LUA}
local r = read_record(KEYS[1])
if not r or r.ended or r.secret ~= ARGV[2] or r.previous ~= ARGV[1] then return 0 end
local body = body_of(KEYS[1], r)
r.secret, r.previous, r.previous_until = r.previous, nil, nil
redis.call('SET', KEYS[1], pack_header(r) .. body, 'KEEPTTL')
return 1
`);
