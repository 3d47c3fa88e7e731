import {
  defineScript,
  hasFlag,
  joinLua,
  PACK_SUBJECT_HEADER,
  SUBJECT_FLAGS,
  SUBJECT_HEADER_BYTES,
  WINDOW_MINUTES,
} from '../../redis/index.ts';
import { factsLua } from '../facts/facts-lua.ts';
import type { MovedRetention, SubjectKind } from '../retention.ts';
import { checkExactLimit, type SeenItemsOptions } from '../seen-items-options.ts';
import { ITEM_SIZE, largeItemsLua } from './large-items-lua.ts';
import { MINUTE_SIZE, minutesLua, SMALL_MINUTES } from './minutes-lua.ts';
import { partsLua } from './parts-lua.ts';
import { decideExpiry, readRecord, wholeOrNot } from './record-lua.ts';

/** Makes the script of a page view, which is one atomic step. `page`: encrypted for the subject; `at`: when it was viewed;
 *  `now`: the time by Redis's clock; both in seconds of the epoch. An empty `page` is no view: it notes the minute, of a
 *  subject that had a view. Behind them stand pairs of a cluster of the page, encrypted for the subject, and 1.
 *
 *  Nearly every view needs the record alone, and no function: a function costs Redis as much as a command each time that
 *  the script runs. So the functions for large forms are made where one is needed. */
export function recordViewScript(options: SeenItemsOptions, retention: MovedRetention, of: SubjectKind = 'session') {
  return defineScript({
    name: 'record-view',
    keys: ['record', 'absent?'],
    args: { page: 'text', at: 'number', now: 'number' },
    restArgs: 'cluster',
    output: `all views, unique pages, 1 where the page was seen before (else 0), the bits of T-5 to T before, and 1 where the
      session is claimed or the person has filters beside its own (else 0); behind them how often each cluster was viewed`,
    body: bodyOf(options, checkExactLimit(options.exactLimit), retention, of),
  }).returns<
    [totalPages: number, uniquePages: number, seen: 0 | 1, bits: number, claimed: 0 | 1, ...clusters: number[]]
  >();
}

const bodyOf = (options: SeenItemsOptions, exactLimit: number, retention: MovedRetention, of: SubjectKind): string => `
${readRecord('{ 0, 0, 0, 0, 0 }')}
local is_view = page ~= ''
if not is_view and views == 0 then return { 0, 0, 0, 0, 0 } end
local function rare()
${joinLua([partsLua, largeItemsLua(options), minutesLua])}
return { add = large_add, late = note_late, from = large_from, part = part, renew = renew, find = section_find,
  has = day_has, kept = day_kept, set = day_set }
end

-- The minute. 'section': the minutes outside the window, where they change; 'left': those that go to the large form;
-- 'days_begin': whether it begins now.
local minute, top, bits = (at - at % 60) / 60, (last - last % 60) / 60, 0
local minutes_from = ${SUBJECT_HEADER_BYTES + 1} + facts
local section_end = minutes_from - 1 + ${MINUTE_SIZE} * minutes
local section, left, days_begin
local has_days = ${hasFlag(SUBJECT_FLAGS.largeMinutes)}
if views == 0 then
  first, last, window, active = at, at, 1, 1
elseif minute == top then
  bits = window % 64
elseif minute > top then
  local ahead, fallen = minute - top, window
  if ahead < ${WINDOW_MINUTES} then
    local kept = 2 ^ (${WINDOW_MINUTES} - ahead)
    bits = ahead < 6 and window * 2 ^ ahead % 64 or 0
    fallen = math.floor(window / kept)
    window, top = window % kept * 2 ^ ahead + 1, minute - ${WINDOW_MINUTES}
  else window = 1 end
  active = active + 1
  if fallen > 0 then
    left = {}
    for i = ${WINDOW_MINUTES - 1}, 0, -1 do
      if math.floor(fallen / 2 ^ i) % 2 == 1 then left[#left + 1] = top - i end
    end
    if not has_days then
      section = string.sub(body, minutes_from, section_end)
      for _, each in ipairs(left) do section = section .. struct.pack('>I4', each) end
      left = nil
    end
  end
else
  local r = rare()
  section = string.sub(body, minutes_from, section_end)
  local function was_active(each)
    if each > top - ${WINDOW_MINUTES} then return math.floor(window / 2 ^ (top - each)) % 2 == 1 end
    if has_days then return r.has(each) end
    return (r.find(section, each))
  end
  for i = 5, 0, -1 do bits = bits * 2 + (was_active(minute - i) and 1 or 0) end
  -- A minute of a day that is too old to be kept could not be told from one that counted already.
  local counts = bits % 2 == 0 and (minute > top - ${WINDOW_MINUTES} or not has_days or r.kept(minute))
  if counts then
    active = active + 1
    if minute > top - ${WINDOW_MINUTES} then window = window + 2 ^ (top - minute)
    elseif has_days then left = { minute }
    else
      local _, place = r.find(section, minute)
      section = string.sub(section, 1, place) .. struct.pack('>I4', minute) .. string.sub(section, place + 1)
    end
  end
end
if at < first then first = at end
if at > last then last = at end
if section and #section > ${MINUTE_SIZE * SMALL_MINUTES} then
  left = {}
  for i = 1, #section, ${MINUTE_SIZE} do left[#left + 1] = struct.unpack('>I4', section, i) end
  section, flags, days_begin = '', flags + ${SUBJECT_FLAGS.largeMinutes}, true
end

-- The page. 'outgrown': the pages of the record, where they turn into the large form.
local is_large = ${hasFlag(SUBJECT_FLAGS.largePages)}
local pages_from = section_end + ${ITEM_SIZE} * items + 1
local pages = body and (#body + 1 - pages_from) / ${ITEM_SIZE} or 0
local seen, outgrown, add = 0, nil, ''
if is_view and not is_large then
  local found = body and string.find(body, page, pages_from, true)
  while found and (found - pages_from) % ${ITEM_SIZE} ~= 0 do found = string.find(body, page, found + 1, true) end
  if found then seen = 1 else pages, add = pages + 1, page end
  if pages > ${exactLimit} then
    outgrown = (body and string.sub(body, pages_from) or '') .. add
    is_large, add, flags = true, '', flags + ${SUBJECT_FLAGS.largePages}
  end
end

-- The clusters of the page.
local new_facts, counts
if #ARGV >= firstCluster then
  local function with_facts()
${joinLua([factsLua])}
  return add_facts end
  local _
  new_facts, _, counts = with_facts()(firstCluster, at, false)
  facts = #new_facts
end

-- The record, in one write: first, because Redis refuses the first write where it is full, and then nothing was done.
${decideExpiry(retention, 'is_view and views > 0')}
if is_view and views < 4294967295 then views = views + 1 end
if active > 16777215 then active = 16777215 end
if section then minutes = #section / ${MINUTE_SIZE} end
local head = ${PACK_SUBJECT_HEADER}
if not body then redis.call('SET', record, head .. (new_facts or '') .. add, 'EX', ${retention.bounceSeconds})
elseif section or outgrown or new_facts then
  redis.call('SET', record, head .. (new_facts or string.sub(body, ${SUBJECT_HEADER_BYTES + 1}, minutes_from - 1)) .. (section or string.sub(body, minutes_from, section_end))
    .. string.sub(body, section_end + 1, outgrown and pages_from - 1 or -1) .. add, 'KEEPTTL')
elseif add ~= '' then redis.call('SET', record, head .. string.sub(body, ${SUBJECT_HEADER_BYTES + 1}) .. add, 'KEEPTTL')
else redis.call('SETRANGE', record, 0, head) end
local claimed = ${hasFlag(SUBJECT_FLAGS.claimed)}
if not (due or is_large or left or claimed) then
  if counts then return { views, pages, seen, bits, 0, unpack(counts) } end
  return { views, pages, seen, bits, 0 }
end

local r = rare()
if is_large or left then
${wholeOrNot({
  work: `
  -- Those of a record that is gone would be this one's.
  if days_begin then redis.call('DEL', r.part('a')) end
  for _, each in ipairs(left or {}) do r.set(each) end
  if outgrown then r.from('p', outgrown)
  elseif is_view and is_large then seen = r.add('p', page) end
  if is_large then pages = redis.call('PFCOUNT', r.part('pu')) end`,
  undo: `
  if outgrown then redis.pcall('DEL', r.part('p'), r.part('pu')) end
  if days_begin then redis.pcall('DEL', r.part('a')) end`,
})}
end
if due then r.renew(flags, ${retention.seconds}) end
${of === 'session' ? 'if claimed then r.late(now) end' : ''}
return { views, pages, seen, bits, claimed and 1 or 0, unpack(counts or {}) }`;
