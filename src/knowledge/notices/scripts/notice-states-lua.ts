import { defineLua } from '../../../redis/index.ts';
import { partsLua } from '../../scripts/parts-lua.ts';
import { NOTICE_CAP } from '../notice.ts';
import { LIST_FLAGS, NOTICE_STATES, STATE_NUMBERS } from '../notice-states.ts';

/** The most ids of lists that the application keeps that a subject remembers. */
export const FOREIGN_NOTICE_CAP = 1024;

const { seen, read, dismissed, unreadAgain, unreadFirst } = NOTICE_STATES;

/** What a subject did with notices. Needs `record`.
 *
 *  `lists` is a table of the lists that were read so far: it begins as `{ key = states, fields = {} }`, and `write_lists(lists)`
 *  writes what was marked in them.
 *  `mark_notice(lists, field, number, state, isMerge)` marks one. `isMerge`: the state comes from another subject, and is joined
 *  to what is there. Returns 1 where the notice became seen by it, 2 where it became read, 3 for both, else 0.
 *  `merge_list(lists, field, isMuted, joined)` joins what another subject set for a list. `joined`: 0 for the whole list.
 *  `mark_notices(lists, first, count, isMerge)` marks those that stand in ARGV from `first` on: `count` triples of an
 *  encrypted list, a number and a state. Returns what each became.
 *  `mark_foreign(foreign, first, last)` marks ids of lists that the application keeps as read, `forget_foreign` as unread. */
export const noticeStatesLua = defineLua({
  name: 'notice-states',
  uses: [partsLua],
  source: `
local function unpack_states(text)
  local held = { flags = 0, count = 0, nibbles = {} }
  if not text then return held end
  held.flags = string.byte(text)
  local at = 2
  if math.floor(held.flags / ${LIST_FLAGS.joinedLate}) % 2 == 1 then held.joined, at = string.sub(text, 2, 9), 10 end
  if #text < at + 8 then return held end
  held.first = struct.unpack('>d', string.sub(text, at, at + 7))
  for _, byte in ipairs({ string.byte(text, at + 8, -1) }) do
    held.nibbles[held.count + 1], held.nibbles[held.count + 2] = math.floor(byte / 16), byte % 16
    held.count = held.count + 2
  end
  return held
end

local function pack_states(held)
  local head = string.char(held.flags) .. (held.joined or '')
  local from, to = 1, held.count
  while to >= from and held.nibbles[to] == 0 do to = to - 1 end
  if to < from then return head end
  while held.nibbles[from] == 0 do from = from + 1 end
  if to - from >= ${NOTICE_CAP} then from = to - ${NOTICE_CAP - 1} end
  local bytes = {}
  for i = from, to, 2 do bytes[#bytes + 1] = held.nibbles[i] * 16 + (i < to and held.nibbles[i + 1] or 0) end
  return head .. struct.pack('>d', (held.first + from - 1) % ${STATE_NUMBERS}) .. string.char(unpack(bytes))
end

local function place_of(held, number)
  if held.count == 0 then held.first = number end
  local at = (number - held.first) % ${STATE_NUMBERS}
  if at >= ${STATE_NUMBERS / 2} then
    -- Older than all that is known. Far older: the numbers belong to a list that was made anew.
    local older = ${STATE_NUMBERS} - at
    if older >= ${NOTICE_CAP} then return nil end
    local nibbles = {}
    for i = 1, older do nibbles[i] = 0 end
    for i = 1, held.count do nibbles[older + i] = held.nibbles[i] end
    held.nibbles, held.count, held.first, at = nibbles, held.count + older, number, 0
  elseif at >= held.count + ${NOTICE_CAP} then
    held.nibbles, held.count, held.first, at = {}, 0, number, 0
  end
  for i = held.count + 1, at + 1 do held.nibbles[i] = 0 end
  if at >= held.count then held.count = at + 1 end
  return at + 1
end

local function next_state(old, asked, isMerge)
  if isMerge then
    -- What the subject itself marked as unread again is the highest, and stays.
    if asked >= ${unreadAgain} then return old < ${read} and asked or old end
    return math.max(old, asked)
  end
  if asked == ${seen} then return old == 0 and asked or old end
  if asked == ${read} then return old == ${dismissed} and old or asked end
  if asked == ${unreadAgain} and (old < ${read} or old == ${unreadFirst}) then return ${unreadFirst} end
  return asked
end

-- Each list is read and written once: many notices may be of one.
local function list_of(lists, field)
  local held = lists[field]
  if not held then
    local text = redis.call('HGET', lists.key, field)
    held = unpack_states(text)
    held.is_new = not text
    lists[field], lists.fields[#lists.fields + 1] = held, field
  end
  return held
end

local function mark_notice(lists, field, number, asked, isMerge)
  local held = list_of(lists, field)
  local place = place_of(held, number)
  if not place then return 0 end
  local old = held.nibbles[place]
  local new = next_state(old, asked, isMerge)
  held.nibbles[place] = new
  local became = old == 0 and new > 0 and 1 or 0
  if (new == ${read} or new == ${dismissed}) and (old < ${read} or old == ${unreadFirst}) then became = became + 2 end
  return became
end

local function write_lists(lists)
  for _, field in ipairs(lists.fields) do redis.call('HSET', lists.key, field, pack_states(lists[field])) end
  if #lists.fields > 0 then keep_like_record(lists.key) end
end

local function mark_notices(lists, first, count, isMerge)
  local became = {}
  for i = 1, count do
    local from = first + 3 * (i - 1)
    became[i] = mark_notice(lists, ARGV[from], tonumber(ARGV[from + 1]), tonumber(ARGV[from + 2]), isMerge)
  end
  return became
end

local function merge_list(lists, field, isMuted, joined)
  local held = list_of(lists, field)
  if held.is_new then
    held.is_new = false
    if isMuted then held.flags = held.flags + ${LIST_FLAGS.muted} end
    if joined > 0 then held.flags, held.joined = held.flags + ${LIST_FLAGS.joinedLate}, struct.pack('>d', joined) end
  elseif held.joined and joined < struct.unpack('>d', held.joined) then
    -- What one of the two sees is never hidden.
    if joined > 0 then held.joined = struct.pack('>d', joined)
    else held.flags, held.joined = held.flags - ${LIST_FLAGS.joinedLate}, nil end
  end
end

local function mark_foreign(foreign, first, last)
  if first > last then return end
  local time = redis.call('TIME')
  local microseconds = time[1] * 1000000 + time[2]
  for i = first, last do redis.call('ZADD', foreign, 'NX', string.format('%d', microseconds + i), ARGV[i]) end
  redis.call('ZREMRANGEBYRANK', foreign, 0, -${FOREIGN_NOTICE_CAP + 1})
  keep_like_record(foreign)
end

local function forget_foreign(foreign, first, last)
  for i = first, last do redis.call('ZREM', foreign, ARGV[i]) end
end
`,
});
