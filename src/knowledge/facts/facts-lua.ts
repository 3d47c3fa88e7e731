import { defineLua, FACTS_LENGTH_BYTES, SUBJECT_HEADER_BYTES } from '../../redis/index.ts';
import { FACT_BYTES, FACT_DAY_BYTES, FACT_DAYS, KEPT_BIT, MOST_FACTS, SECONDS_PER_DAY } from './fact-section.ts';

/** Facts in the record of a subject. Stands behind `readRecord`, which declares `body`
 *  and `facts`.
 *
 *  `add_facts(from, at, keeps)` -> the section of facts with what happened at `at` (seconds of the epoch), how many facts were
 *  dropped, and how often each one happened in all, in their order. From ARGV[from] on stand pairs of an encrypted name and how often.
 *  `keeps`: they are dropped behind all others. */
export const factsLua = defineLua({
  name: 'facts',
  source: `
-- 'raw': as it stands there. Most facts are written back as they are, so their days are not read.
local function read_facts()
  local list, by_key = {}, {}
  local place, to = ${SUBJECT_HEADER_BYTES + FACTS_LENGTH_BYTES + 1}, ${SUBJECT_HEADER_BYTES} + facts
  while place <= to do
    local fact = { key = string.sub(body, place, place + 7) }
    local days
    fact.count, fact.first, fact.last, days = struct.unpack('>I4I4I4B', body, place + 8)
    if days >= ${KEPT_BIT} then fact.kept, days = true, days - ${KEPT_BIT} end
    local behind = place + ${FACT_BYTES} + ${FACT_DAY_BYTES} * days
    fact.raw = string.sub(body, place, behind - 1)
    place = behind
    list[#list + 1], by_key[fact.key] = fact, fact
  end
  return list, by_key
end

local function read_days(fact)
  fact.days = {}
  for place = ${FACT_BYTES + 1}, #fact.raw, ${FACT_DAY_BYTES} do
    local day, count = struct.unpack('>I2I2', fact.raw, place)
    fact.days[#fact.days + 1] = { day, count }
  end
  fact.raw = nil
end

local function add_to_day(fact, at, count)
  local day, last = math.floor(at / ${SECONDS_PER_DAY}), math.floor(fact.last / ${SECONDS_PER_DAY})
  if day <= last - ${FACT_DAYS} then return end
  local place = #fact.days + 1
  while place > 1 and fact.days[place - 1][1] > day do place = place - 1 end
  local same = fact.days[place - 1]
  if same and same[1] == day then same[2] = math.min(same[2] + count, 65535)
  else table.insert(fact.days, place, { day, math.min(count, 65535) }) end
  while fact.days[1][1] <= last - ${FACT_DAYS} do table.remove(fact.days, 1) end
end

local function write_facts(list)
  local parts = {}
  for _, fact in ipairs(list) do
    parts[#parts + 1] = fact.raw or fact.key .. struct.pack('>I4I4I4B', fact.count, fact.first, fact.last,
      #fact.days + (fact.kept and ${KEPT_BIT} or 0))
    for _, day in ipairs(fact.days or {}) do parts[#parts + 1] = struct.pack('>I2I2', day[1], day[2]) end
  end
  local section = table.concat(parts)
  return struct.pack('>I2', #section + ${FACTS_LENGTH_BYTES}) .. section
end

local function add_facts(from, at, keeps)
  local list, by_key, dropped = {}, {}, 0
  if facts > 0 then list, by_key = read_facts() end
  local counts = {}
  for i = from, #ARGV, 2 do
    local key, count = ARGV[i], tonumber(ARGV[i + 1])
    local fact = by_key[key]
    if not fact then
      fact = { key = key, count = 0, first = at, last = at, days = {} }
      list[#list + 1], by_key[key] = fact, fact
    elseif fact.raw then read_days(fact) end
    fact.count = math.min(fact.count + count, 4294967295)
    if keeps then fact.kept = true end
    fact.first, fact.last = math.min(fact.first, at), math.max(fact.last, at)
    add_to_day(fact, at, count)
    counts[#counts + 1] = fact.count
  end
  while #list > ${MOST_FACTS} do
    local oldest = 1
    for i, fact in ipairs(list) do
      local other = list[oldest]
      if fact.kept == other.kept and fact.last < other.last or other.kept and not fact.kept then oldest = i end
    end
    table.remove(list, oldest)
    dropped = dropped + 1
  end
  return write_facts(list), dropped, counts
end
`,
});
