import { defineScript } from '../../redis/index.ts';

/* site-scripts.ts: a minute of the site is a hash of counters (`v` views, `n` visitors who are new, `b` who came back, `r`
 * requests of robots, and one field for each registered name of pages) and two HyperLogLogs, of sessions and of persons. All
 * minutes lie in one slot, so that one script reads an hour. */

/** Fields of the counters. Those of names begin with another letter. */
export const SITE_FIELDS = { views: 'v', fresh: 'n', back: 'b', robots: 'r' } as const;

/** Adds to a minute: pairs of a field and a number (`fields` of them), then `visitors` hashes of sessions, then hashes of
 *  persons. `counted` and `known`: for how many seconds counters and HyperLogLogs are kept from now on. */
export const addToMinute = defineScript({
  name: 'add-to-minute',
  keys: ['counters', 'sessions', 'persons', 'names'],
  args: { fields: 'number', visitors: 'number', counted: 'number', known: 'number' },
  restArgs: 'entry',
  output: '1 where the names of the fields are there, else 0',
  body: `
local at = firstEntry
for _ = 1, fields do
  redis.call('HINCRBY', counters, ARGV[at], ARGV[at + 1])
  at = at + 2
end
if fields > 0 then redis.call('EXPIRE', counters, counted) end
if visitors > 0 then
  redis.call('PFADD', sessions, unpack(ARGV, at, at + visitors - 1))
  redis.call('EXPIRE', sessions, known)
end
if #ARGV >= at + visitors then
  redis.call('PFADD', persons, unpack(ARGV, at + visitors))
  redis.call('EXPIRE', persons, known)
end
return redis.call('EXPIRE', names, counted)`,
}).returns<0 | 1>();

/** Replaces the names of the fields where they are more than `most`, else adds to them: pairs of a field and its sealed
 *  name. */
export const nameFields = defineScript({
  name: 'name-fields',
  keys: ['names'],
  args: { most: 'number', counted: 'number' },
  restArgs: 'name',
  output: '1',
  body: `
if redis.call('HLEN', names) > most then redis.call('DEL', names) end
for at = firstName, #ARGV, 1000 do
  redis.call('HSET', names, unpack(ARGV, at, math.min(at + 999, #ARGV)))
end
return redis.call('EXPIRE', names, counted)`,
}).returns<number>();

/** Reads the last minutes, the newest first. Keys: the counters of all minutes, then the sessions of the last
 *  `visited` of them, then the persons of these. `short`: how many of these are the shorter time; `pages`: how many names of
 *  pages are answered at most, those with most views. */
export const readMinutes = defineScript({
  name: 'read-minutes',
  keys: ['names'],
  args: { visited: 'number', short: 'number', pages: 'number' },
  restKeys: 'minute',
  output: `sessions and persons of the shorter time, sessions and persons of the longer one, a list of views, new, back and
    robots for each minute, and a list of field, views and sealed name (or false) for each name of pages`,
  body: `
local minutes = #KEYS - firstMinute + 1 - 2 * visited
local counts, views = {}, {}
for i = 1, minutes do
  local counters = KEYS[firstMinute + i - 1]
  local of = { v = 0, n = 0, b = 0, r = 0 }
  if i > visited then
    of.v = tonumber(redis.call('HGET', counters, 'v') or 0)
  else
    local all = redis.call('HGETALL', counters)
    for j = 1, #all, 2 do
      local field, count = all[j], tonumber(all[j + 1])
      if of[field] then of[field] = count else views[field] = (views[field] or 0) + count end
    end
  end
  for _, field in ipairs({ 'v', 'n', 'b', 'r' }) do counts[#counts + 1] = of[field] end
end

local fields = {}
for field in pairs(views) do fields[#fields + 1] = field end
table.sort(fields, function(one, other)
  if views[one] == views[other] then return one < other end
  return views[one] > views[other]
end)
local top = {}
for i = 1, math.min(pages, #fields) do
  top[#top + 1] = { fields[i], views[fields[i]], redis.call('HGET', names, fields[i]) }
end

local function count(from, many) return redis.call('PFCOUNT', unpack(KEYS, from, from + many - 1)) end
local sessions = firstMinute + minutes
local persons = sessions + visited
return { count(sessions, short), count(persons, short), count(sessions, visited), count(persons, visited), counts, top }`,
}).returns<
  [
    lastSessions: number,
    lastPersons: number,
    sessions: number,
    persons: number,
    counts: number[],
    top: [field: string, views: number, sealed: string | null][],
  ]
>();
