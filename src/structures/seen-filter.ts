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

const HEADER_BYTES = 12;
const LEAST_CAPACITY = 8;
const MOST_CAPACITY = 1_000_000;
const LEAST_ERROR_RATE = 0.0001;
const MAX_LAYERS = 14;
// The textbook's size is for ideal hashing; ours was measured at 1.04 % where it promised 0.99 %. A quarter more, for 4 %
// more bits, keeps the mean below what is configured at every size.
const MARGIN = 1.25;
// The integer's lower half has 26 bits, the upper one 27.
const HALF = 2 ** 26;
// Measured (npm run bench -- filter): reading a kilobyte costs Redis about what asking one item in Lua does.
const FETCH_BYTES_PER_ITEM = 1024;

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
 *  been there, `filter_has(key, items)` -> list of 0 and 1, and `filter_fetch_or_has(key, items)` -> the same, or the
 *  filter itself for `askFetchedFilter`. Items are decimal strings. */
export function seenFilterLua(engine: FilterEngine, options: SeenFilterOptions): string {
  const errorRate = checkErrorRate(options.errorRate);
  const capacity = checkCapacity(options.firstCapacity);
  return engine === 'native' ? nativeLua(errorRate, capacity) : portableLua(errorRate, capacity);
}

function checkErrorRate(errorRate: number): number {
  if (errorRate >= LEAST_ERROR_RATE && errorRate <= 0.5) return errorRate;
  throw new RangeError(`The filter's error rate ${errorRate} cannot be used: give 0.0001 to 0.5.`);
}

function checkCapacity(capacity: number): number {
  if (Number.isInteger(capacity) && capacity >= LEAST_CAPACITY && capacity <= MOST_CAPACITY) return capacity;
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

-- The layers that 'items' items need: for each its capacity, first bit, size in bits and hash functions.
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

-- What is no filter must not be taken for a very large one: making room for it would take all of Redis's memory.
local function filter_header(key)
  local head = redis.call('GETRANGE', key, 0, HEADER - 1)
  local count, first, inverse = 0, 0, 0
  if #head == HEADER then count, first, inverse = struct.unpack('>I4I4I4', head) end
  if first < ${LEAST_CAPACITY} or first > ${MOST_CAPACITY} or inverse < 1 or inverse > ${1 / LEAST_ERROR_RATE} then
    error('SEENFILTER what lies in ' .. key .. ' is no seen filter')
  end
  return count, first, inverse
end

-- A string that grows by SETBIT is given twice its size; SET gives it just what it needs.
local function filter_create(key)
  local _, bytes = filter_layers(1, ${capacity}, ${Math.round(1 / errorRate)})
  local header = struct.pack('>I4I4I4', 0, ${capacity}, ${Math.round(1 / errorRate)})
  redis.call('SET', key, header .. string.rep('\\0', bytes - HEADER))
end

-- Whether one item is in the first 'last' layers.
local function filter_test(key, layers, last, item)
  local low = item % 67108864
  local high = (item - low) / 67108864
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
    answers[i] = filter_test(key, layers, #layers, tonumber(item)) and 1 or 0
  end
  return answers
end

-- All layers but the last are only asked; setting the bits of the last tells what they were.
local function filter_add(key, item)
  local number = tonumber(item)
  local count, first, inverse = filter_header(key)
  local layers, bytes = filter_layers(count + 1, first, inverse)
  if filter_test(key, layers, #layers - 1, number) then return 1 end
  if redis.call('STRLEN', key) < bytes then
    local old = redis.call('GET', key)
    redis.call('SET', key, old .. string.rep('\\0', bytes - #old), 'KEEPTTL')
  end
  local base, size, hashes = unpack(layers[#layers])
  local low = number % 67108864
  local x, y = low % size, ((number - low) / 67108864) % size
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

/** Asks a portable filter that was fetched whole: the same arithmetic as in Lua, for many items at once a hundred times
 *  cheaper for Redis. */
export function askFetchedFilter(filter: Buffer, items: readonly string[]): boolean[] {
  const layers = layersOf(filter.readUInt32BE(0), filter.readUInt32BE(4), filter.readUInt32BE(8));
  return items.map((item) => {
    const low = Number(item) % HALF;
    const high = (Number(item) - low) / HALF;
    return layers.some(({ base, size, hashes }) => {
      let x = low % size;
      let y = high % size;
      for (let j = 1; j <= hashes; j += 1) {
        const at = base + x;
        if (((filter[at >> 3] ?? 0) & (128 >> (at & 7))) === 0) return false;
        x = (x + y) % size;
        y = (y + j) % size;
      }
      return true;
    });
  });
}

function layersOf(items: number, first: number, inverse: number): { base: number; size: number; hashes: number }[] {
  const layers = [];
  let base = HEADER_BYTES * 8;
  let held = 0;
  for (let i = 0; i < MAX_LAYERS && (i === 0 || held < items); i += 1) {
    const bitsOfError = Math.log(inverse * MARGIN) / Math.log(2) + i + 1;
    const capacity = first * 2 ** i;
    const size = 8 * Math.ceil((capacity * bitsOfError) / Math.log(2) / 8);
    layers.push({ base, size, hashes: Math.ceil(bitsOfError) });
    base += size;
    held += capacity;
  }
  return layers;
}

/** A seen filter in a key of its own; what seen items turn into when they are many. The contract that both engines
 *  keep: `add` and `has` answer per item, a false "seen" happens at the configured rate, a false "unseen" never. */
export class SeenFilter {
  readonly #redis: RedisConnection;
  readonly #add: Script<number[]>;
  readonly #has: Script<number[] | Buffer>;

  constructor(redis: RedisConnection, engine: FilterEngine, options: SeenFilterOptions = SEEN_FILTER_DEFAULTS) {
    const lua = seenFilterLua(engine, options);
    this.#redis = redis;
    /* Input: KEYS[1] the filter; ARGV the items. Output: per item 1 where it had been there. */
    this.#add = new Script(`${lua}
      if redis.call('EXISTS', KEYS[1]) == 0 then filter_create(KEYS[1]) end
      local answers = {}
      for i, item in ipairs(ARGV) do answers[i] = filter_add(KEYS[1], item) end
      return answers`);
    /* Input: KEYS[1] the filter; ARGV the items. Output: per item 1 where it is there, or the filter itself. */
    this.#has = new Script(`${lua}
      if redis.call('EXISTS', KEYS[1]) == 1 then return filter_fetch_or_has(KEYS[1], ARGV) end
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
    return readAnswers(await this.#has.runForBuffers(this.#redis, [key], items), items);
  }
}

/** What `filter_fetch_or_has` answered, per item. */
export function readAnswers(answers: number[] | Buffer, items: readonly string[]): boolean[] {
  return Buffer.isBuffer(answers) ? askFetchedFilter(answers, items) : answers.map((seen) => seen === 1);
}
