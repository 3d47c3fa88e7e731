import { defineLua, SUBJECT_FLAGS } from '../../redis/index.ts';

const { largePages, largeItems, largeMinutes, notices, claimed } = SUBJECT_FLAGS;
const PARTS = `{ { ${largePages}, 'p', 'pu' }, { ${largeItems}, 'i', 'iu' }, { ${largeMinutes}, 'a' }, { ${notices}, 'n', 'g', 'l' }, { ${claimed}, 'c' } }`;

/** The parts of a subject beside its record. Needs `record`, the key of the record.
 *
 *  `part(name)` -> the key of a part;
 *  `keep_like_record(key)` gives a key the time to live of the record;
 *  `note_late(now)` notes that a claimed subject has something that is not merged yet;
 *  `each_beside(work)` calls it with the key of each filter that was merged into a person whole;
 *  `renew(flags, seconds)` moves the expiry of the record and of the parts that its flags name. */
export const partsLua = defineLua({
  name: 'parts',
  source: `
local function part(name) return string.sub(record, 1, -2) .. name end

local function keep_like_record(key)
  local left = redis.call('PTTL', record)
  -- A record in its last milliseconds may have 0 left, or no time by the clock: that would delete the part at once.
  if left >= 0 then redis.call('PEXPIRE', key, math.max(left, 1000)) end
end

local function note_late(now)
  local place, subject = string.match(record, '^(.-{%w+}:)(.+):%w+$')
  -- A time and no count: where a master failed and lost the last ones, those that follow must still be higher.
  local time = redis.call('TIME')
  local micro = time[1] * 1000000 + time[2]
  local number = math.max(micro, tonumber(redis.call('HGET', part('c'), 'dirty') or 0) + 1)
  redis.call('HSET', part('c'), 'dirty', string.format('%.0f', number))
  redis.call('ZADD', place .. '@merging', now * 1000, subject)
end

local function each_beside(work)
  for _, place in ipairs(redis.call('HKEYS', part('b'))) do
    work(part('x' .. place))
    work(part('x' .. place .. 'u'))
  end
  work(part('b'))
end

local function renew(flags, seconds)
  redis.call('EXPIRE', record, seconds)
  for _, named in ipairs(${PARTS}) do
    if math.floor(flags / named[1]) % 2 == 1 then
      for i = 2, #named do redis.call('EXPIRE', part(named[i]), seconds) end
    end
  end
  if math.floor(flags / ${claimed}) % 2 == 1 then
    each_beside(function(key) redis.call('EXPIRE', key, seconds) end)
  end
end
`,
});
