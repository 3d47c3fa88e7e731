import type { FilterEngine, RedisConnection } from '../redis/index.ts';
import { Script } from '../redis/index.ts';

/* seen-filter.ts: a scalable Bloom filter over item keys (53-bit integers), in two engines with one contract.
 *
 * Scalable Bloom filters: Almeida, Baquero, Preguiça, Hutchison, 2007. Layer i holds 2^i times the first capacity at
 * an error rate of e / 2^(i+1); the sum over all layers stays below e, whatever the size. Never a false negative.
 *
 * native    the server's BF.RESERVE, BF.ADD and BF.MEXISTS, which scale by the same rule.
 * portable  one string, for servers without a module. Layout, big-endian:
 *             bytes 0-3   items added
 *             bytes 4-7   capacity of the first layer
 *             bytes 8-11  inverse error rate (100 for 0.01)
 *             then the layers, each of whole bytes.
 *           The parameters stand in the filter itself, so that a configuration can change while old filters live.
 *           Bits come from the two halves of the integer by enhanced double hashing (Dillinger, Manolios, 2004).
 *           At 14 layers (1,638,300 items of first capacity 100, about 6 MB) it stops growing: memory is bounded, and
 *           beyond that size the error rate rises. */

/** How new filters are made; existing ones keep their own. */
export interface SeenFilterOptions {
  /** Of a "seen" that is false. Default 0.01. */
  readonly errorRate: number;
  /** Items in the first layer. Default 100. */
  readonly firstCapacity: number;
}

/** The defaults of design.md. */
export const SEEN_FILTER_DEFAULTS: SeenFilterOptions = { errorRate: 0.01, firstCapacity: 100 };

/** Redis functions to stand before a script's body: `filter_create(key)`, `filter_add(key, item)` -> 1 where it had
 *  been there, and `filter_has(key, items)` -> list of 0 and 1. Items are decimal strings. */
export function seenFilterLua(engine: FilterEngine, options: SeenFilterOptions): string {
  const errorRate = checkErrorRate(options.errorRate);
  const capacity = checkCapacity(options.firstCapacity);
  return engine === 'native' ? nativeLua(errorRate, capacity) : portableLua(errorRate, capacity);
}

function checkErrorRate(errorRate: number): number {
  if (errorRate >= 0.0001 && errorRate <= 0.5) return errorRate;
  throw new RangeError(`The filter's error rate ${errorRate} cannot be used: give 0.0001 to 0.5.`);
}

function checkCapacity(capacity: number): number {
  if (Number.isInteger(capacity) && capacity >= 8 && capacity <= 1_000_000) return capacity;
  throw new RangeError(`The filter's first capacity ${capacity} cannot be used: give 8 to 1,000,000.`);
}

function nativeLua(errorRate: number, capacity: number): string {
  return `
local function filter_create(key) redis.call('BF.RESERVE', key, '${errorRate}', ${capacity}, 'EXPANSION', 2) end
local function filter_add(key, item) return 1 - redis.call('BF.ADD', key, item) end
local function filter_has(key, items) return redis.call('BF.MEXISTS', key, unpack(items)) end
`;
}

function portableLua(errorRate: number, capacity: number): string {
  return `
local HEADER, MAX_LAYERS, SMALL = 12, 14, 4096

local function filter_create(key)
  redis.call('SET', key, struct.pack('>I4I4I4', 0, ${capacity}, ${Math.round(1 / errorRate)}))
end

local function filter_header(key)
  return struct.unpack('>I4I4I4', redis.call('GETRANGE', key, 0, HEADER - 1))
end

-- Layer i, counted from 0: the layer's capacity, its size in bits, its hash functions.
local function filter_layer(i, first, inverse)
  local bits_of_error = math.log(inverse) / math.log(2) + i + 1
  local capacity = first * 2 ^ i
  return capacity, 8 * math.ceil(capacity * bits_of_error / math.log(2) / 8), math.ceil(bits_of_error)
end

local function filter_positions(item, size, hashes)
  local number = tonumber(item)
  local x, y = (number % 67108864) % size, math.floor(number / 67108864) % size
  local positions = {}
  for j = 1, hashes do
    positions[j] = x
    x = (x + y) % size
    y = (y + j) % size
  end
  return positions
end

-- Whether one item is in the filter. 'bytes' is the whole filter where it is small, else false.
local function filter_test(key, bytes, item, count, first, inverse)
  local base, held = HEADER * 8, 0
  for i = 0, MAX_LAYERS - 1 do
    local capacity, size, hashes = filter_layer(i, first, inverse)
    local all = true
    for _, position in ipairs(filter_positions(item, size, hashes)) do
      local at, set = base + position
      if bytes then
        local byte = string.byte(bytes, math.floor(at / 8) + 1)
        set = byte and bit.band(byte, bit.rshift(128, at % 8)) ~= 0
      else
        set = redis.call('GETBIT', key, at) == 1
      end
      if not set then all = false break end
    end
    if all then return 1 end
    held = held + capacity
    if held >= count then return 0 end
    base = base + size
  end
  return 0
end

local function filter_has(key, items)
  local count, first, inverse = filter_header(key)
  local bytes = redis.call('STRLEN', key) <= SMALL and redis.call('GET', key)
  local answers = {}
  for i, item in ipairs(items) do answers[i] = filter_test(key, bytes, item, count, first, inverse) end
  return answers
end

local function filter_add(key, item)
  local count, first, inverse = filter_header(key)
  if filter_test(key, false, item, count, first, inverse) == 1 then return 1 end
  local base, held = HEADER * 8, 0
  for i = 0, MAX_LAYERS - 1 do
    local capacity, size, hashes = filter_layer(i, first, inverse)
    held = held + capacity
    if count < held or i == MAX_LAYERS - 1 then
      local command = { 'BITFIELD', key }
      for _, position in ipairs(filter_positions(item, size, hashes)) do
        command[#command + 1] = 'SET'
        command[#command + 1] = 'u1'
        command[#command + 1] = string.format('%d', base + position)
        command[#command + 1] = '1'
      end
      redis.call(unpack(command))
      redis.call('SETRANGE', key, 0, struct.pack('>I4', count + 1))
      return 0
    end
    base = base + size
  end
end
`;
}

/** A seen filter in a key of its own; what seen items turn into when they are many. The contract that both engines
 *  keep: `add` and `has` answer per item, a false "seen" happens at the configured rate, a false "unseen" never. */
export class SeenFilter {
  readonly #redis: RedisConnection;
  readonly #add: Script<number[]>;
  readonly #has: Script<number[]>;

  constructor(redis: RedisConnection, engine: FilterEngine, options: SeenFilterOptions = SEEN_FILTER_DEFAULTS) {
    const lua = seenFilterLua(engine, options);
    this.#redis = redis;
    /* Input: KEYS[1] the filter; ARGV the items. Output: per item 1 where it had been there. */
    this.#add = new Script(`${lua}
      if redis.call('EXISTS', KEYS[1]) == 0 then filter_create(KEYS[1]) end
      local answers = {}
      for i, item in ipairs(ARGV) do answers[i] = filter_add(KEYS[1], item) end
      return answers`);
    /* Input: KEYS[1] the filter; ARGV the items. Output: per item 1 where it is there. */
    this.#has = new Script(`${lua}
      if redis.call('EXISTS', KEYS[1]) == 1 then return filter_has(KEYS[1], ARGV) end
      local answers = {}
      for i = 1, #ARGV do answers[i] = 0 end
      return answers`);
  }

  /** Adds item keys; per item, whether it had been there before. The filter is made where it is absent. */
  async add(key: string, items: readonly string[]): Promise<boolean[]> {
    return (await this.#add.run(this.#redis, [key], items)).map((seen) => seen === 1);
  }

  /** Per item key, whether it is there. An absent filter holds nothing. */
  async has(key: string, items: readonly string[]): Promise<boolean[]> {
    return (await this.#has.run(this.#redis, [key], items)).map((seen) => seen === 1);
  }
}
