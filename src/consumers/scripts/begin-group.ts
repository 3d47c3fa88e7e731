import { defineScript } from '../../redis/index.ts';
import { BEGINNING, groupLua } from './group-lua.ts';

/** Makes a consumer group where there is none. `at`: where the group was when it was there last, empty where it is new; then
 *  `from` says where it begins. In a group that exists, consumers are removed that have been silent for longer than `silentMs` and have
 *  nothing in hand: a process that was killed leaves one. */
export const beginGroup = defineScript({
  name: 'begin-group',
  uses: [groupLua],
  keys: ['stream'],
  args: { group: 'text', from: 'text', at: 'text', silentMs: 'number' },
  statuses: { known: 0, made: 1 },
  output: 'known or made, the id of the last entry that the group got, and the time in milliseconds of the epoch',
  body: (status) => `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = last_delivered(stream, group)
if last then
  for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
    local each = fields_of(info)
    if each.pending == 0 and each.idle > silentMs then
      redis.call('XGROUP', 'DELCONSUMER', stream, group, each.name)
    end
  end
  return { ${status.known}, last, now }
end

local newest, first = '0-0', nil
if redis.call('EXISTS', stream) == 1 then
  newest = fields_of(redis.call('XINFO', 'STREAM', stream))['last-generated-id']
  first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
end
local function beginning(milliseconds)
  return string.format('%.0f-${BEGINNING}', milliseconds - 1)
end
local begins = beginning(now)
if at ~= '' and not is_later(at, newest) then begins = at
elseif at == '' and from == 'now' and newest ~= '0-0' then begins = newest
elseif first and (at ~= '' or from == 'start') then begins = beginning(milliseconds_of(first[1])) end
redis.call('XGROUP', 'CREATE', stream, group, begins, 'MKSTREAM')
return { ${status.made}, begins, now }`,
}).returns<[last: string, now: number]>();
