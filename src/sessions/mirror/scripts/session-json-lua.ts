import { defineLua, type LuaText } from '../../../redis/index.ts';
import { OWN_PREFIX } from '../../record/session-fields.ts';

/** The last moment that a date of four digits can name, in milliseconds of the epoch. */
const LAST_DATE = 253_402_300_799_999;

/** Writes a session as express-session and connect-redis do: `session_json(r, body, now)` -> JSON of the fields of a record
 *  `r` with the packed fields `body`, the cookie with its `expires` first. A session that was saved without a cookie gets a
 *  plain one, because express-session reads none without. */
export const sessionJsonLua: LuaText = defineLua({
  name: 'session-json',
  source: `
local function iso_time(ms)
  ms = math.min(math.floor(ms), ${LAST_DATE})
  local days = math.floor(ms / 86400000)
  -- Days of the civil calendar, counted from March of the year 0 in periods of 400 years.
  local since = days + 719468
  local era = math.floor(since / 146097)
  local of_era = since - era * 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local march = math.floor((5 * of_year + 2) / 153)
  local month = march < 10 and march + 3 or march - 9
  local rest = ms - days * 86400000
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year + era * 400 + (month <= 2 and 1 or 0), month,
    of_year - math.floor((153 * march + 2) / 5) + 1, math.floor(rest / 3600000), math.floor(rest / 60000) % 60,
    math.floor(rest / 1000) % 60, rest % 1000)
end

local function cookie_json(r, cookie, now)
  if string.sub(cookie, 1, 1) ~= '{' then return '{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"}' end
  local ends = (r.cookie > 0 and r.cookie <= now) and r.expires or r.cookie
  local expires = ends > 0 and '"' .. iso_time(ends) .. '"' or 'null'
  return '{"expires":' .. expires .. (cookie == '{}' and '}' or ',' .. string.sub(cookie, 2))
end

local function session_json(r, body, now)
  local fields = body == '' and {} or cmsgpack.unpack(body)
  local parts, cookie = {}, ''
  for i = 1, #fields, 2 do
    local name = fields[i]
    if name == 'cookie' then
      cookie = fields[i + 1]
    elseif string.byte(name, 1) ~= ${OWN_PREFIX.charCodeAt(0)} and name ~= '__proto__' then
      parts[#parts + 1] = ',' .. cjson.encode(name) .. ':' .. fields[i + 1]
    end
  end
  return '{"cookie":' .. cookie_json(r, cookie, now) .. table.concat(parts) .. '}'
end
`,
});
