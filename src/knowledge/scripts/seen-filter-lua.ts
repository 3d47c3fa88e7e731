import { defineLua, type FilterEngine, type LuaText } from '../../redis/index.ts';
import { CAPACITIES, HEADER_BYTES, MARGIN, MAX_LAYERS, MOST_INVERSE } from '../fetched-filter.ts';
import type { SeenFilterOptions } from '../seen-filter.ts';

const LEAST_ERROR_RATE: number = 1 / MOST_INVERSE;
// Measured (npm run bench -- filter): reading a kilobyte costs Redis about as much as asking for one item in Lua.
const FETCH_BYTES_PER_ITEM = 1024;

/** `filter_create(key)`, `filter_add(key, item)` -> 1 where the filter held it, `filter_has(key, items)` -> list of 0 and
 *  1, and `filter_fetch_or_has(key, items)` -> the same, or the filter itself for `readAnswers`. Items are encrypted:
 *  strings of 8 characters.
 *  @throws RangeError for options that cannot be used. */
export function seenFilterLua(engine: FilterEngine, options: SeenFilterOptions): LuaText {
  const errorRate = checkErrorRate(options.errorRate);
  const capacity = checkCapacity(options.firstCapacity);
  const source = engine === 'native' ? nativeLua(errorRate, capacity) : portableLua(errorRate, capacity);
  return defineLua({ name: 'seen-filter', source });
}

function checkErrorRate(errorRate: number): number {
  if (errorRate >= LEAST_ERROR_RATE && errorRate <= 0.5) return errorRate;
  throw new RangeError(`The filter's error rate ${errorRate} cannot be used: give 0.0001 to 0.5.`);
}

function checkCapacity(capacity: number): number {
  if (Number.isInteger(capacity) && capacity >= CAPACITIES.least && capacity <= CAPACITIES.most) return capacity;
  throw new RangeError(`The filter's first capacity ${capacity} cannot be used: give 8 to 1,000,000.`);
}

function nativeLua(errorRate: number, capacity: number): string {
  return `
local function filter_create(key) redis.call('BF.RESERVE', key, '${errorRate}', ${capacity}, 'EXPANSION', 2) end
local function filter_add(key, item) return 1 - redis.call('BF.ADD', key, item) end
local function filter_has(key, items) return redis.call('BF.MEXISTS', key, unpack(items)) end
local function filter_fetch_or_has(key, items) return filter_has(key, items) end
`;
}

function portableLua(errorRate: number, capacity: number): string {
  return `
local HEADER, MAX_LAYERS = ${HEADER_BYTES}, ${MAX_LAYERS}

-- The layers that 'items' items need: for each its first bit, size in bits and hash functions.
local function filter_layers(items, first, inverse)
  local layers, base, held = {}, HEADER * 8, 0
  for i = 0, MAX_LAYERS - 1 do
    local bits_of_error = math.log(inverse * ${MARGIN}) / math.log(2) + i + 1
    local capacity = first * 2 ^ i
    local size = 8 * math.ceil(capacity * bits_of_error / math.log(2) / 8)
    layers[i + 1] = { base, size, math.ceil(bits_of_error) }
    base, held = base + size, held + capacity
    if held >= items then break end
  end
  return layers, base / 8
end

-- Refuses any other string: read as the header of a very large filter, it would have Redis allocate all its memory.
local function filter_header(key)
  local head = redis.call('GETRANGE', key, 0, HEADER - 1)
  local count, first, inverse = 0, 0, 0
  if #head == HEADER then count, first, inverse = struct.unpack('>I4I4I4', head) end
  if first < ${CAPACITIES.least} or first > ${CAPACITIES.most} or inverse < 1 or inverse > ${MOST_INVERSE} then
    error('SEENFILTER what lies in ' .. key .. ' is no seen filter')
  end
  return count, first, inverse
end

-- Redis doubles a string that grows by SETBIT. SET allocates just the needed bytes.
local function filter_create(key)
  local _, bytes = filter_layers(1, ${capacity}, ${Math.round(1 / errorRate)})
  local header = struct.pack('>I4I4I4', 0, ${capacity}, ${Math.round(1 / errorRate)})
  redis.call('SET', key, header .. string.rep('\\0', bytes - HEADER))
end

-- The two halves of an item, 28 bits each: a number of all 56 would not be exact.
local function filter_halves(item)
  local a, b, c, d, e, f, g, h = string.byte(item, 1, 8)
  return ((a * 128 + b) * 128 + c) * 128 + d, ((e * 128 + f) * 128 + g) * 128 + h
end

-- Whether one item is in the first 'last' layers.
local function filter_test(key, layers, last, item)
  local high, low = filter_halves(item)
  for i = 1, last do
    local base, size, hashes = layers[i][1], layers[i][2], layers[i][3]
    local x, y, j = low % size, high % size, 1
    while j <= hashes and redis.call('GETBIT', key, base + x) == 1 do
      x = (x + y) % size
      y = (y + j) % size
      j = j + 1
    end
    if j > hashes then return true end
  end
  return false
end

local function filter_has(key, items)
  local count, first, inverse = filter_header(key)
  local layers = filter_layers(count, first, inverse)
  local answers = {}
  for i, item in ipairs(items) do
    answers[i] = filter_test(key, layers, #layers, item) and 1 or 0
  end
  return answers
end

-- Tests all layers but the last. Setting the bits of the last answers their old values.
local function filter_add(key, item)
  local count, first, inverse = filter_header(key)
  local layers, bytes = filter_layers(count + 1, first, inverse)
  if filter_test(key, layers, #layers - 1, item) then return 1 end
  if redis.call('STRLEN', key) < bytes then
    local old = redis.call('GET', key)
    redis.call('SET', key, old .. string.rep('\\0', bytes - #old), 'KEEPTTL')
  end
  local base, size, hashes = unpack(layers[#layers])
  local high, low = filter_halves(item)
  local x, y = low % size, high % size
  local command = { 'BITFIELD', key }
  for j = 1, hashes do
    local at = 4 * j - 1
    command[at], command[at + 1], command[at + 2], command[at + 3] = 'SET', 'u1', base + x, 1
    x = (x + y) % size
    y = (y + j) % size
  end
  local seen = 1
  for _, old in ipairs(redis.call(unpack(command))) do
    if old == 0 then seen = 0 end
  end
  if seen == 0 then redis.call('SETRANGE', key, 0, struct.pack('>I4', count + 1)) end
  return seen
end

-- Either the whole filter as a string, for the caller to ask, where that is cheaper than asking here; or answers.
local function filter_fetch_or_has(key, items)
  if redis.call('STRLEN', key) <= ${FETCH_BYTES_PER_ITEM} * #items then return redis.call('GET', key) end
  return filter_has(key, items)
end
`;
}
