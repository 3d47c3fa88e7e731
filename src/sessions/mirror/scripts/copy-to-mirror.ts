import { defineScript } from '../../../redis/index.ts';
import { clockLua } from '../../lua/clock-lua.ts';
import { recordLua } from '../../lua/record-lua.ts';
import { sessionJsonLua } from './session-json-lua.ts';

/** Writes connect-redis' record of a session, as the session is now, and what was written into `base`.
 *
 *  `mirror`: the key of connect-redis' record; '' where the caller has no token: then it is where it was. `secretHash`: of
 *  the token, or ''. `seen`: the record of connect-redis that the caller has merged, or ''. `base` is a hash of the key and
 *  the text that were written last, when the session was made (an id may live again), and its end at that time: where that
 *  has not moved, the time to live stays what connect-redis has made of it. */
export const copyToMirror = defineScript({
  name: 'copy-to-mirror',
  uses: [clockLua, recordLua, sessionJsonLua],
  keys: ['record', 'base'],
  args: { mirror: 'text', secretHash: 'text', seen: 'text', absoluteMs: 'number' },
  statuses: { done: 1, gone: 0, foreign: 2, destroyed: 3 },
  output: `done; gone: there is nothing to copy, because the session has ended or the secret is not its own;
    foreign, the text there, the text to compare with, its time to live: connect-redis has written since;
    destroyed: connect-redis has deleted its record since`,
  body: (status) => `
local now, r = now_ms(), read_record(record)
local base_key, base_text, created, ends = unpack(redis.call('HMGET', base, 'key', 'text', 'created', 'ends'))
if not r then return ${status.gone} end
if r.ended then
  if mirror ~= '' then redis.call('UNLINK', mirror) end
  if base_key then redis.call('UNLINK', base_key) end
  redis.call('UNLINK', base)
  return ${status.gone}
end
if r.expires <= now or (absoluteMs > 0 and r.created + absoluteMs <= now) then return ${status.gone} end
if r.sealed or (secretHash ~= '' and r.secret ~= secretHash) then return ${status.gone} end
if base_key and tonumber(created) ~= r.created then base_key, base_text = false, false end
local key = mirror ~= '' and mirror or base_key
if not key then return ${status.gone} end
local there = redis.call('GET', base_key or key)
if base_key and not there then return ${status.destroyed} end
local expected = seen ~= '' and seen or base_text
if there and expected and there ~= base_text and there ~= expected then
  return { ${status.foreign}, there, expected, redis.call('PTTL', base_key or key) }
end
local text = session_json(r, body_of(record, r), now)
local stays = base_key == key and tonumber(ends) == r.expires
if stays and text == there and text == base_text then return ${status.done} end
if stays then
  redis.call('SET', key, text, 'KEEPTTL')
else
  redis.call('SET', key, text, 'PXAT', r.expires)
end
redis.call('HSET', base, 'key', key, 'text', text, 'created', r.created, 'ends', r.expires)
redis.call('PEXPIREAT', base, r.expires)
if base_key and base_key ~= key then redis.call('UNLINK', base_key) end
return ${status.done}
`,
}).returns<[theirs: string, base: string, leftMs: number] | []>();
