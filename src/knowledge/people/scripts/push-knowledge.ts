import { defineScript, SUBJECT_TOMBSTONE } from '../../../redis/index.ts';
import { STATE_NUMBERS } from '../../notices/notice-states.ts';
import { noticeStatesLua } from '../../notices/scripts/notice-states-lua.ts';
import { OWN_NOTICES_FIELD, ownNoticesLua } from '../../notices/scripts/subject-scripts.ts';
import { largeItemsLua } from '../../scripts/large-items-lua.ts';
import { minutesLua } from '../../scripts/minutes-lua.ts';
import { partsLua } from '../../scripts/parts-lua.ts';
import type { SeenItemsOptions } from '../../seen-items-options.ts';
import { FACTS_OF, NOTICES_OF, viewsTakenLua } from './views-taken-lua.ts';

/** How long a push may be under way, in milliseconds: one that comes later could undo what was done since. */
export const PUSH_MS = 10_000;
/** The age from which on a claim is merged no more, in milliseconds: what was taken of it may be forgotten. */
export const CLAIM_MS: number = 31 * 86_400_000;
/** How long it is known what was taken of a source, and that a person was erased, in seconds. */
export const MERGED_SECONDS: number = 32 * 86_400;
const DAY_MICROS = 86_400_000_000;
// From the begin of the day of a claim on, in days: by then it is merged no more.
const FORGOTTEN_DAYS = 33;
// A busy person's list never expires as a whole. Of so many sources at random the forgotten ones go with each new source, so
// that the list stays at four thirds of what it must hold.
const LOOKED_AT = 4;

/** Makes the script that writes a person's record with what was merged into it. `expected`: the record as it was read;
 *  `source`, `had`, `views`, `facts`, `notices`: the source, how many of its views were taken and are taken now, its facts
 *  (named for the person; empty for none), and a digest of what it did with notices (empty for nothing); `noticesNumber`: the
 *  number of the claim when these were read; `at` and
 *  `prepared`: when the session was claimed and the push prepared, in microseconds by Redis's clock. Behind them: pages,
 *  items and minutes for the large form, filters of the session (four arguments each), and what the session did with notices
 *  (`SubjectStates.mergeArgumentsOf`). */
export function pushKnowledgeScript(options: SeenItemsOptions, seconds: number) {
  return defineScript({
    name: 'push-knowledge',
    uses: [partsLua, largeItemsLua(options), minutesLua, noticeStatesLua, ownNoticesLua, viewsTakenLua],
    keys: ['record', 'merged', 'states', 'own', 'foreign', 'erased', 'absent?'],
    args: {
      expected: 'text',
      next: 'text',
      source: 'text',
      had: 'text',
      views: 'text',
      facts: 'text',
      notices: 'text',
      noticesNumber: 'number',
      at: 'number',
      prepared: 'number',
      flags: 'number',
      beginsPages: 'flag',
      beginsItems: 'flag',
      beginsDays: 'flag',
      pages: 'number',
      items: 'number',
      minutes: 'number',
      filters: 'number',
      lists: 'number',
      marks: 'number',
      ownNotices: 'number',
      ownField: 'text',
      ownOffset: 'number',
    },
    restArgs: 'page',
    statuses: { merged: 1, changed: 0, late: 2, old: 3, erased: 4 },
    output: `merged; changed: the record is another one by now; late: it was under way for too long; old: the claim is too old;
      erased: the person was erased since the session was claimed`,
    body: (status) => `
local time = redis.call('TIME')
local micro = time[1] * 1000000 + time[2]
local body, gone = redis.call('GET', record), redis.call('GET', erased)
if body == '${SUBJECT_TOMBSTONE}' or gone and at <= tonumber(gone) then return ${status.erased} end
if micro - at > ${CLAIM_MS * 1_000} then return ${status.old} end
if micro - prepared > ${PUSH_MS * 1_000} then return ${status.late} end
if (body or '') ~= expected or views_taken(source) ~= had then return ${status.changed} end
redis.call('SET', record, next, 'EX', ${seconds})
-- What was taken of notices is not taken again, nor what was read before that: the person may have done something else with
-- them since.
local taken_digest, taken_number = string.match(redis.call('HGET', merged, '${NOTICES_OF}' .. source) or ' 0', '^(%S*) (%d+)$')
local brings_notices = notices ~= '' and notices ~= taken_digest and noticesNumber >= tonumber(taken_number)
if views ~= '0' or facts ~= '' or brings_notices then
  redis.call('HSET', merged, source, string.format('%s %d', views, math.floor(at / ${DAY_MICROS})))
  if facts ~= '' then redis.call('HSET', merged, '${FACTS_OF}' .. source, facts) end
  if brings_notices then
    redis.call('HSET', merged, '${NOTICES_OF}' .. source, string.format('%s %.0f', notices, noticesNumber))
  end
  redis.call('EXPIRE', merged, ${MERGED_SECONDS})
  local some = had == '0' and redis.call('HRANDFIELD', merged, ${LOOKED_AT}, 'WITHVALUES') or {}
  for i = 1, #some, 2 do
    local is_source = not string.find(some[i], ' ', 1, true)
    local day = is_source and tonumber(string.match(some[i + 1], ' (%d+)$'))
    if day and micro > (day + ${FORGOTTEN_DAYS}) * ${DAY_MICROS} then
      redis.call('HDEL', merged, some[i], '${FACTS_OF}' .. some[i], '${NOTICES_OF}' .. some[i])
    end
  end
end
local from = firstPage
local function large(kind, count, begins)
  if begins then redis.call('DEL', part(kind), part(kind .. 'u')) end
  for i = from, from + count - 1 do large_add(kind, ARGV[i]) end
  from = from + count
end
large('p', pages, beginsPages)
large('i', items, beginsItems)
if beginsDays then redis.call('DEL', part('a')) end
for i = from, from + minutes - 1 do day_set(tonumber(ARGV[i])) end
from = from + minutes
-- A filter and its count, whole: kind and place, source and subject, both values. A filter of the server's own is dumped.
for i = from, from + 4 * filters - 1, 4 do
  ${options.engine === 'native' ? "redis.call('RESTORE', part('x' .. ARGV[i]), 0, ARGV[i + 2], 'REPLACE')" : "redis.call('SET', part('x' .. ARGV[i]), ARGV[i + 2])"}
  if ARGV[i + 3] ~= '' then redis.call('SET', part('x' .. ARGV[i] .. 'u'), ARGV[i + 3]) end
  redis.call('HSET', part('b'), ARGV[i], ARGV[i + 1])
end
from = from + 4 * filters
local function take_notices()
  local known = { key = states, fields = {} }
  for i = from, from + 3 * lists - 1, 3 do merge_list(known, ARGV[i], ARGV[i + 1] == '1', tonumber(ARGV[i + 2])) end
  from = from + 3 * lists
  mark_notices(known, from, marks, true)
  from = from + 3 * marks
  for i = from, from + 3 * ownNotices - 1, 3 do
    local has = redis.call('HGET', own, 'i' .. ARGV[i])
    if has or not is_withdrawn(ARGV[i], ARGV[i + 1]) then
      local sequence = has and tonumber(string.match(has, '^%d+')) or add_own(ARGV[i], ARGV[i + 1])
      if has and name_of(ARGV[i], string.match(has, '^%d+ (.*)$')) ~= name_of(ARGV[i], ARGV[i + 1]) then
        note_withdrawn(ARGV[i], ARGV[i + 1])
      end
      mark_notice(known, ownField, (sequence + ownOffset) % ${STATE_NUMBERS}, tonumber(ARGV[i + 2]), true)
    end
  end
  write_lists(known)
  if ownNotices > 0 then
    redis.call('HSET', states, '${OWN_NOTICES_FIELD}', '1')
    keep_like_record(own)
  end
  mark_foreign(foreign, from + 3 * ownNotices, #ARGV)
end
if brings_notices then take_notices() end
renew(flags, ${seconds})
return ${status.merged}
`,
  });
}
