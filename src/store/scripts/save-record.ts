import { Script } from '../../redis/index.ts';
import { RECORD_LUA } from '../record.ts';

/** What a save came to. */
export const SAVED = {
  /** The session is not there, or the token is not its own: nothing was written. */
  gone: 0,
  /** The fields are what was sent. */
  whole: 1,
  /** Others had changed it: the differences were applied to what they left. */
  merged: 2,
  /** Others had changed it, and no differences were sent: nothing was written. */
  conflict: -1,
  /** Others had sealed it meanwhile, so the differences could not be applied: nothing was written. */
  sealed: -2,
} as const;

/** Saves a session in one step.
 *
 *  Input: KEYS record, lifecycle;
 *         ARGV 1 the header that was loaded, or '' where the end must be looked at; 2 the header that would follow it;
 *         3 the packed fields; 4 hash of the secret, or ''; 5 session; 6 `update` or `put`, which makes it where it is
 *         not there; 7 the version that was loaded; 8 1 where the fields are sealed; 9 packed changes, or '' where they
 *         cannot be told;
 *         10 idle, 11 touch every, 12 absolute, 13 cookie expires, in milliseconds; 14 namespace; 15 length of the
 *         lifecycle stream.
 *  Output: 1 where nothing had touched the record since it was loaded (most saves: two commands); else
 *          { one of SAVED, the header now }. */
export const saveRecord: Script<number | [number, Buffer]> = new Script(`
if ARGV[1] ~= '' and redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2] .. ARGV[3], 'KEEPTTL')
  return ${SAVED.whole}
end
${RECORD_LUA}
local record, lifecycle = KEYS[1], KEYS[2]
local body, secret, session = ARGV[3], ARGV[4], ARGV[5]
local idle, touch_every, absolute = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local now = now_ms()
local r = open_record(record, secret, now, absolute)
local status = ${SAVED.whole}
if not r then
  if ARGV[6] ~= 'put' then return { ${SAVED.gone} } end
  local there = read_record(record)
  -- What has ended stays so while its record is kept; what has expired may begin anew with its own secret.
  if there and (there.ended or there.secret ~= secret) then return { ${SAVED.gone} } end
  if there then
    finish(ARGV[14], tag_of(record), session, there, now, lifecycle, ARGV[15], 'expired')
    if there.kept then return { ${SAVED.gone} } end
  end
  r = { secret = secret, created = now, version = 0, expires = 0 }
  tell(lifecycle, ARGV[15], 'created', session)
elseif ARGV[6] ~= 'put' and r.version ~= tonumber(ARGV[7]) then
  if ARGV[9] == '' then return { ${SAVED.conflict} } end
  if r.sealed then return { ${SAVED.sealed} } end
  body = changed_body(body_of(record, r), cmsgpack.unpack(ARGV[9]))
  status = ${SAVED.merged}
end
r.sealed = ARGV[8] == '1'
r.seen, r.cookie, r.version = now, tonumber(ARGV[13]), (r.version + 1) % 4294967296
local moved = renew(r, now, idle, touch_every, absolute)
local header = pack_header(r)
if moved then
  redis.call('SET', record, header .. body, 'PXAT', r.expires + KEPT_AFTER_END)
  index_end(ARGV[14], tag_of(record), session, r)
else
  redis.call('SET', record, header .. body, 'KEEPTTL')
end
return { status, header }
`);
