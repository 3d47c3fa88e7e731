import { defineLua, defineScript, hasFlag, PACK_SUBJECT_HEADER, SUBJECT_FLAGS } from '../../../redis/index.ts';
import type { MovedRetention, SubjectKind } from '../../retention.ts';
import { partsLua } from '../../scripts/parts-lua.ts';
import { decideExpiry, readRecord } from '../../scripts/record-lua.ts';
import { LIST_FLAGS } from '../notice-states.ts';
import { noticeStatesLua } from './notice-states-lua.ts';

/* subject-scripts.ts: the steps on a subject's notices. All make the record where there is none, move its expiry, and note
 * by its flag that there are notices: what was done with them lives as long as the record. `now`: the time by Redis's clock,
 * in seconds of the epoch. */

/** The most notices to one subject that are kept; the oldest is dropped. */
export const OWN_NOTICE_CAP = 100;
/** The field of the states that says that there are notices to this subject alone. */
export const OWN_NOTICES_FIELD = '@';

/** Writes the head of the record with its flag. `nothing`: what the script returns for a subject that was ended. */
const writeHead = (retention: MovedRetention, nothing: string): string => `
    ${readRecord(nothing)}
    ${decideExpiry(retention)}
    local is_first = not (${hasFlag(SUBJECT_FLAGS.notices)})
    if is_first then flags = flags + ${SUBJECT_FLAGS.notices} end
    local head = ${PACK_SUBJECT_HEADER}
    if not body then redis.call('SET', record, head, 'EX', ${retention.bounceSeconds})
    elseif due or is_first then redis.call('SETRANGE', record, 0, head) end`;

/** Declares `claimed`: whether the subject is a session whose knowledge is a person's; then it is noted that something is
 *  to be merged. */
const noteLate = (retention: MovedRetention, of: SubjectKind): string => `
    if due then renew(flags, ${retention.seconds}) end
    local claimed = 0
    ${of === 'session' ? `if ${hasFlag(SUBJECT_FLAGS.claimed)} then note_late(now) claimed = 1 end` : ''}`;

/** Makes the script that marks notices. Behind the named arguments stand `marks` triples of encrypted list, number and state,
 *  then the encrypted ids of foreign notices: they were read, or with `forget` 1 are unread again. */
export function markNoticesScript(retention: MovedRetention, of: SubjectKind = 'session') {
  return defineScript({
    name: 'mark-notices',
    uses: [partsLua, noticeStatesLua],
    keys: ['record', 'states', 'foreign', 'absent?'],
    args: { now: 'number', marks: 'number', forget: 'number' },
    restArgs: 'mark',
    output: `1 where the subject is claimed, else 0; then per triple 1 where the notice became seen, 2 where it became read, 3
      for both, else 0`,
    body: `${writeHead(retention, '{ 0 }')}
    local lists = { key = states, fields = {} }
    local became = mark_notices(lists, firstMark, marks, false)
    write_lists(lists)
    if forget == 1 then forget_foreign(foreign, firstMark + 3 * marks, #ARGV)
    else mark_foreign(foreign, firstMark + 3 * marks, #ARGV) end${noteLate(retention, of)}
    return { claimed, unpack(became) }`,
  }).returns<[claimed: 0 | 1, ...became: number[]]>();
}

/** Makes the script that mutes lists, un-mutes them, or joins them late. Behind the named arguments stand pairs of an
 *  encrypted list and what is done: "mute", "unmute", or the time from which on it is seen, where nothing is known of it
 *  yet. */
export function setListsScript(retention: MovedRetention, of: SubjectKind = 'session') {
  return defineScript({
    name: 'set-lists',
    uses: [partsLua, noticeStatesLua],
    keys: ['record', 'states', 'absent?'],
    args: { now: 'number' },
    restArgs: 'list',
    output: '1 where the subject is claimed, else 0',
    body: `${writeHead(retention, '0')}
    for i = firstList, #ARGV, 2 do
      local text = redis.call('HGET', states, ARGV[i])
      local held, what = unpack_states(text), ARGV[i + 1]
      local is_muted = held.flags % 2 == ${LIST_FLAGS.muted}
      if what == 'mute' or what == 'unmute' then
        if is_muted ~= (what == 'mute') then held.flags = held.flags + (is_muted and -1 or 1) end
      elseif not text then
        held.flags, held.joined = held.flags + ${LIST_FLAGS.joinedLate}, struct.pack('>d', tonumber(what))
      end
      redis.call('HSET', states, ARGV[i], pack_states(held))
    end
    keep_like_record(states)${noteLate(retention, of)}
    return claimed`,
  }).returns<0 | 1>();
}

/** How long it is known what a person does not have any more, in seconds: sessions that are the person's are merged again
 *  where something is noted of them late, and what they brought must not come back. */
const WITHDRAWN_SECONDS = 86_400;

/** Needs `own`, the hash of the notices to one subject: `seq`; `at`, the milliseconds of the epoch at which the last one was
 *  published; `i<hash of the id>` -> "<number> <entry>"; and `w`, the last that were withdrawn, dropped, or moved in time, or
 *  whose id the person had already: ";<hash of the id> <shown from> <seconds of the epoch>" each.
 *
 *  `note_withdrawn(key, entry)` notes such a one, `is_withdrawn(key, entry)` tells whether it was noted. `add_own(key, entry)`
 *  adds a notice under the next number, which it returns, and drops the oldest where there are too many. */
export const ownNoticesLua = defineLua({
  name: 'own-notices',
  source: `
local function name_of(key, entry) return ';' .. key .. ' ' .. string.match(entry, '^(%d+) ') .. ' ' end

local function note_withdrawn(key, entry)
  local now = tonumber(redis.call('TIME')[1])
  local noted = { name_of(key, entry) .. string.format('%d', now) }
  for one, time in string.gmatch(redis.call('HGET', own, 'w') or '', '(;%d+ %d+ )(%d+)') do
    if now - tonumber(time) < ${WITHDRAWN_SECONDS} and #noted < ${OWN_NOTICE_CAP} then noted[#noted + 1] = one .. time end
  end
  redis.call('HSET', own, 'w', table.concat(noted))
end

local function is_withdrawn(key, entry)
  return string.find(redis.call('HGET', own, 'w') or '', name_of(key, entry), 1, true)
end

local function add_own(key, entry)
  local time = redis.call('TIME')
  redis.call('HSETNX', own, 'seq', string.format('%d', time[1] * 1000000 + time[2]))
  local sequence = redis.call('HINCRBY', own, 'seq', 1)
  redis.call('HSET', own, 'i' .. key, string.format('%d ', sequence) .. entry,
    'at', string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)))
  if redis.call('HLEN', own) - redis.call('HEXISTS', own, 'w') > ${OWN_NOTICE_CAP + 2} then
    local all, oldest, place = redis.call('HGETALL', own), nil, nil
    for i = 1, #all, 2 do
      local number = string.sub(all[i], 1, 1) == 'i' and tonumber(string.match(all[i + 1], '^%d+'))
      if number and (not oldest or number < oldest) then oldest, place = number, i end
    end
    redis.call('HDEL', own, all[place])
    note_withdrawn(string.sub(all[place], 2), string.match(all[place + 1], '^%d+ (.*)$'))
  end
  return sequence
end
`,
});

/** Makes the script that publishes a notice to one subject. `at`: 0 for now. */
export function publishOwnScript(retention: MovedRetention, of: SubjectKind = 'session') {
  return defineScript({
    name: 'publish-own-notice',
    uses: [partsLua, ownNoticesLua],
    keys: ['record', 'states', 'own', 'absent?'],
    args: { now: 'number', noticeKey: 'text', at: 'number', expiresAt: 'text', notice: 'text' },
    statuses: { known: 0, added: 1, past: 2, ended: 3 },
    output: `added, the time from which on it is shown, and 1 where the subject is claimed; known and that time where it has the notice already;
      past: it would end before it begins; ended: the session was ended`,
    body: (status) => `
    local known = redis.call('HGET', own, 'i' .. noticeKey)
    if known then return { ${status.known}, string.match(known, '^%d+ (%d+)'), 0 } end
    local clock = redis.call('TIME')
    local from = math.max(at, clock[1] * 1000 + math.floor(clock[2] / 1000))
    if expiresAt ~= '0' and tonumber(expiresAt) <= from then return { ${status.past} } end
    ${writeHead(retention, `{ ${status.ended} }`)}
    local shown = string.format('%d', from)
    add_own(noticeKey, shown .. ' ' .. expiresAt .. ' ' .. noticeKey .. ' ' .. notice)
    redis.call('HSET', states, '${OWN_NOTICES_FIELD}', '1')
    keep_like_record(states)
    keep_like_record(own)${noteLate(retention, of)}
    return { ${status.added}, shown, claimed }`,
  }).returns<[at: string, claimed: 0 | 1]>();
}

/** Changes a notice to one subject, if it is still the one that was read; without a new text it is taken away. `isPerson`: it
 *  may have come with a session. */
export const changeOwnNotice = defineScript({
  name: 'change-own-notice',
  uses: [ownNoticesLua],
  keys: ['own'],
  args: { noticeKey: 'text', expected: 'text', changed: 'text', isPerson: 'flag' },
  statuses: { changed: 0, done: 1 },
  output: 'done; changed: it is another one by now',
  body: (status) => `
    if redis.call('HGET', own, 'i' .. noticeKey) ~= expected then return ${status.changed} end
    local was, is = string.match(expected, '^%d+ (.*)$'), string.match(changed, '^%d+ (.*)$')
    if is then redis.call('HSET', own, 'i' .. noticeKey, changed) else redis.call('HDEL', own, 'i' .. noticeKey) end
    if isPerson and not (is and name_of(noticeKey, is) == name_of(noticeKey, was)) then note_withdrawn(noticeKey, was) end
    return ${status.done}`,
});
