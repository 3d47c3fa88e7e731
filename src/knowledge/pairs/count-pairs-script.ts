import { defineScript } from '../../redis/index.ts';

/* count-pairs-script.ts: the counts of a week. `counts` is one string of 32-bit numbers: first how many subjects there were,
 * then a triangle with a row for each name, `1 + row * (row + 1) / 2 + column`: at the end of a row how many saw the name
 * itself. `names` gives each name its row, in the order in which they came. So its size depends on the names alone. */

/** Bytes of a count. */
export const COUNT_BYTES = 4;

/** The position of the count of two rows; of a name itself, where both are the same. */
export function positionOf(row: number, other: number): number {
  const high = Math.max(row, other);
  return 1 + (high * (high + 1)) / 2 + Math.min(row, other);
}

/** Adds to the counts of a week. `most`: how many names a week may have, of at most 1,000; `seconds`: how long it is kept from now on; `fields`:
 *  how many names follow. Behind them triples: two positions in the list of these names, from 1 on (0 and 0: the subjects), and
 *  how many are added. */
export const countPairs = defineScript({
  name: 'count-pairs',
  keys: ['names', 'counts'],
  args: { most: 'number', seconds: 'number', fields: 'number' },
  restArgs: 'name',
  output: 'how many of the names had no room',
  body: `
local fields_end = firstName + fields - 1
local rows, missing = {}, 0
if fields > 0 then rows = redis.call('HMGET', names, unpack(ARGV, firstName, fields_end)) end
local size = redis.call('HLEN', names)
for i = 1, fields do
  if not rows[i] and size < most then
    redis.call('HSET', names, ARGV[firstName + i - 1], size)
    rows[i] = size
    size = size + 1
  elseif not rows[i] then missing = missing + 1 end
end
local steps = { 'OVERFLOW', 'SAT' }
local function add(position, count)
  steps[#steps + 1] = 'INCRBY'
  steps[#steps + 1] = 'u32'
  steps[#steps + 1] = '#' .. string.format('%d', position)
  steps[#steps + 1] = count
  if #steps < 2000 then return end
  redis.call('BITFIELD', counts, unpack(steps))
  steps = { 'OVERFLOW', 'SAT' }
end
for at = fields_end + 1, #ARGV, 3 do
  local first, second = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  if first == 0 then add(0, ARGV[at + 2])
  elseif rows[first] and rows[second] then
    local row, other = tonumber(rows[first]), tonumber(rows[second])
    if row < other then row, other = other, row end
    add(1 + row * (row + 1) / 2 + other, ARGV[at + 2])
  end
end
if #steps > 2 then redis.call('BITFIELD', counts, unpack(steps)) end
redis.call('EXPIRE', names, seconds)
redis.call('EXPIRE', counts, seconds)
return missing`,
}).returns<number>();
