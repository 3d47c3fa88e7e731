import { defineLua, defineScript } from '../../../redis/index.ts';
import { NOTICE_CAP } from '../notice.ts';

/* list-scripts.ts: the steps on the list of a group or a segment.
 *
 * `list` is a hash, number -> entry; `revisions` a sorted set, number -> the list's revision when it was changed last, also
 * of what was withdrawn since; `index` a hash with `seq`, the last number, `rev`, the last revision, `run`, the run id of the
 * server at the last publish, `join`, and `i<hash of the id>` -> number for each notice. Numbers and revisions begin at the
 * clock's microseconds, so that a list that was deleted and made anew uses none twice. */

/** How many numbers are passed over where the list lies on another server than at the last publish, or on one that was started
 *  anew: it may have lost the last of them, and subjects on other servers what they did with those notices not. */
export const PASSED_NUMBERS = 100;

/** Needs `list`, `revisions` and `index`. `touch(name)` gives a number the next revision; `place(key, entry)` adds an entry
 *  under the next number, which it returns. */
const placeLua = defineLua({
  name: 'place-notice',
  source: `
local function touch(name)
  redis.call('ZADD', revisions, redis.call('HINCRBY', index, 'rev', 1), name)
end

local function place(key, entry)
  local sequence = redis.call('HINCRBY', index, 'seq', 1)
  local name = string.format('%d', sequence)
  -- The revision first: where Redis refuses it, nothing is left that readers would not find.
  touch(name)
  redis.call('HSET', list, name, entry)
  redis.call('HSET', index, 'i' .. key, name)
  return sequence
end
`,
});

/** Adds a notice to a list. `at`: 0 for now. */
export const publishNotice = defineScript({
  name: 'publish-notice',
  uses: [placeLua],
  keys: ['list', 'revisions', 'index'],
  args: { noticeKey: 'text', at: 'number', expiresAt: 'text', notice: 'text' },
  statuses: { known: 0, added: 1, full: 2, past: 3 },
  output: `added, the number, the time from which on it is shown, keys and numbers of the notices that were dropped, and keys and
    numbers of those that have a new number;
    known, the number and that time where the list holds the notice already; full: all that it holds is still to come;
    past: it would end before it begins`,
  body: (status) => `
    local known = redis.call('HGET', index, 'i' .. noticeKey)
    if known then return { ${status.known}, known, string.match(redis.call('HGET', list, known) or '0', '^%d+') } end
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local from = math.max(at, now)
    if at == 0 then from = now end
    if expiresAt ~= '0' and tonumber(expiresAt) <= from then return { ${status.past} } end
    local beginning = string.format('%d', time[1] * 1000000 + time[2])
    redis.call('HSETNX', index, 'seq', beginning)
    redis.call('HSETNX', index, 'rev', beginning)
    local function entry_of(sequence)
      return redis.call('HGET', list, string.format('%d', sequence))
    end
    local function key_of(entry) return string.match(entry, '^%d+ %d+ (%d+) ') end
    local function is_to_come(entry)
      return entry and tonumber(string.match(entry, '^(%d+)')) > now
    end
    local info = redis.pcall('INFO', 'server')
    local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or false
    local known_run = redis.call('HGET', index, 'run')
    local passed = run and known_run and run ~= known_run and ${PASSED_NUMBERS} or 0
    -- What is still to come must not be dropped before anybody saw it: it gets a new number.
    local last = tonumber(redis.call('HGET', index, 'seq')) + passed - ${NOTICE_CAP - 1}
    local first = last - passed
    local dropped, moving, number = {}, {}, first
    while number <= last do
      local entry = entry_of(number)
      if is_to_come(entry) then
        moving[#moving + 1], last = entry, last + 1
        if #moving == ${NOTICE_CAP} then return { ${status.full} } end
      elseif entry then
        dropped[#dropped + 1] = key_of(entry)
        dropped[#dropped + 1] = string.format('%d', number)
      end
      number = number + 1
    end
    if run and run ~= known_run then redis.call('HSET', index, 'run', run) end
    if passed > 0 then
      redis.call('HINCRBY', index, 'seq', passed)
      redis.call('HINCRBY', index, 'rev', passed)
    end
    for old = first, last do
      local name = string.format('%d', old)
      redis.call('ZREM', revisions, name)
      redis.call('HDEL', list, name)
    end
    for i = 1, #dropped, 2 do redis.call('HDEL', index, 'i' .. dropped[i]) end
    local moved = {}
    for _, entry in ipairs(moving) do
      moved[#moved + 1] = key_of(entry)
      moved[#moved + 1] = string.format('%d', place(key_of(entry), entry))
    end
    local shown = string.format('%d', from)
    local sequence = place(noticeKey, shown .. ' ' .. expiresAt .. ' ' .. noticeKey .. ' ' .. notice)
    return { ${status.added}, string.format('%d', sequence), shown, dropped, moved }`,
}).returns<[sequence: string, at: string, dropped: string[], moved: string[]]>();

/** Replaces an entry of a list, if it is still the one that was read. */
export const editNotice = defineScript({
  name: 'edit-notice',
  uses: [placeLua],
  keys: ['list', 'revisions', 'index'],
  args: { noticeKey: 'text', expected: 'text', entry: 'text' },
  statuses: { unknown: 0, edited: 1, changed: 2 },
  output: 'edited; changed: it is another one by now; unknown: the list does not hold it',
  body: (status) => `
    local name = redis.call('HGET', index, 'i' .. noticeKey)
    if not name then return ${status.unknown} end
    if redis.call('HGET', list, name) ~= expected then return ${status.changed} end
    redis.call('HSET', list, name, entry)
    touch(name)
    return ${status.edited}`,
});

/** Takes a notice out of a list. Its number stays with its revision, for those who have read the list. */
export const withdrawNotice = defineScript({
  name: 'withdraw-notice',
  uses: [placeLua],
  keys: ['list', 'revisions', 'index'],
  args: { noticeKey: 'text' },
  statuses: { unknown: 0, withdrawn: 1 },
  output: 'withdrawn and the number that it had, or unknown where the list does not hold it',
  body: (status) => `
    local name = redis.call('HGET', index, 'i' .. noticeKey)
    if not name then return { ${status.unknown} } end
    touch(name)
    redis.call('HDEL', index, 'i' .. noticeKey)
    redis.call('HDEL', list, name)
    return { ${status.withdrawn}, name }`,
}).returns<[sequence: string]>();

/** Says how those who meet a list begin to see it. A list that is empty yet begins its revisions at the clock here. */
export const setJoining = defineScript({
  name: 'set-joining',
  keys: ['index'],
  args: { joining: 'text' },
  output: 'nothing',
  body: `
    local time = redis.call('TIME')
    redis.call('HSETNX', index, 'rev', string.format('%d', time[1] * 1000000 + time[2]))
    redis.call('HINCRBY', index, 'rev', 1)
    redis.call('HSET', index, 'join', joining)`,
});

/** Reads what was changed in a list since a revision. */
export const readChanges = defineScript({
  name: 'read-changes',
  keys: ['list', 'revisions', 'index'],
  args: { since: 'text' },
  output: `the last number, the revision, the joining, the names of the numbers that changed, their entries, and the time in
    milliseconds of the epoch`,
  body: `
    local head = redis.call('HMGET', index, 'seq', 'rev', 'join')
    local names = redis.call('ZRANGEBYSCORE', revisions, '(' .. since, '+inf')
    local entries = #names > 0 and redis.call('HMGET', list, unpack(names)) or {}
    local time = redis.call('TIME')
    return { head[1], head[2], head[3], names, entries, time[1] * 1000 + math.floor(time[2] / 1000) }`,
}).returns<
  [
    sequence: string | null,
    revision: string | null,
    joining: string | null,
    names: string[],
    entries: (string | null)[],
    time: number,
  ]
>();
