import { Script } from '../../../redis/index.ts';
import { CHANGES_LUA, RECORD_LUA } from '../../record/record-header.ts';

/** Changes fields of a session without having loaded it.
 *
 *  Input: KEYS record; ARGV hash of the secret or '', absolute in milliseconds, until when it may be done,
 *         operation, then what it needs:
 *         `increment` field, by, packed changes that come first; `append` field, JSON of the values without their
 *         brackets, packed changes that come first; `set-if` version, packed changes.
 *  Output: { 1, the header now, the field's JSON or '' }; { 0 } where the session is not there; { -1, the version }
 *  where `set-if` found another one; { -2 } where the fields are sealed; { -3, JSON } where the field holds something
 *  that cannot be incremented or appended to. */
export const changeField: Script<[number, Buffer?, Buffer?]> = new Script(`${RECORD_LUA}${CHANGES_LUA}
local now = now_ms()
refuse_late(ARGV[3], now)
local r = open_record(KEYS[1], ARGV[1], now, tonumber(ARGV[2]))
if not r then return { 0 } end
if r.sealed then return { -2 } end
local body, result = body_of(KEYS[1], r), ''
if ARGV[4] == 'set-if' then
  if r.version ~= tonumber(ARGV[5]) then return { -1, string.format('%.0f', r.version) } end
  body = changed_body(body, cmsgpack.unpack(ARGV[6]))
else
  local name, value, there = ARGV[5], ARGV[6], nil
  if ARGV[7] ~= '' then body = changed_body(body, cmsgpack.unpack(ARGV[7])) end
  local fields = body == '' and {} or cmsgpack.unpack(body)
  for i = 1, #fields, 2 do if fields[i] == name then there = fields[i + 1] end end
  if ARGV[4] == 'increment' then
    if there and not string.match(there, '^-?%d') then return { -3, there } end
    local sum = tonumber(there or 0) + tonumber(value)
    if sum ~= sum or sum == math.huge or sum == -math.huge then return { -3, there or '' } end
    result = sum % 1 == 0 and string.format('%.0f', sum) or string.format('%.17g', sum)
  else
    if there and string.sub(there, 1, 1) ~= '[' then return { -3, there } end
    result = (there and there ~= '[]') and string.sub(there, 1, -2) .. ',' .. value .. ']' or '[' .. value .. ']'
  end
  body = changed_body(body, { name, 's', result, '' })
end
r.version = (r.version + 1) % 4294967296
local header = pack_header(r)
redis.call('SET', KEYS[1], header .. body, 'KEEPTTL')
return { 1, header, result }
`);
