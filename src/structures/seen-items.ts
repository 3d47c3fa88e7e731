import type { FilterEngine, Keys, RedisConnection, Step } from '../redis/index.ts';
import { makeStep, runStep, Script } from '../redis/index.ts';
import { readAnswers, SEEN_FILTER_DEFAULTS, type SeenFilterOptions, seenFilterLua } from './seen-filter.ts';

/* seen-items.ts: what a session has seen of one kind, in two forms under one key.
 *
 * small  a set of item keys: exact, and an intset of 8 bytes an item.
 * large  a seen filter under the same key and a unique count (HyperLogLog) beside it: the paper's pair.
 *
 * The set turns into the pair inside the same atomic step that makes it too large, which is possible because the pair
 * needs nothing but the integers that the set holds. Most sessions stay small: of 1,217 visitors of a real site in
 * three days, 3 saw more than 64 pages. */

/** How seen items are kept. */
export interface SeenItemsOptions extends SeenFilterOptions {
  readonly engine: FilterEngine;
  /** The most items of the small form, 0 to 512. Default 64; 0: always a filter. */
  readonly exactLimit: number;
}

/** The defaults of design.md. */
export const SEEN_ITEMS_DEFAULTS: SeenItemsOptions = { ...SEEN_FILTER_DEFAULTS, engine: 'portable', exactLimit: 64 };

/** Redis functions to stand before a script's body, after those of the seen filter:
 *  `seen_add(key, unique_key, item)` -> 1 where it had been seen, whether a key was made,
 *  and the count where the form is small; `seen_has(key, items)` -> list of 0 and 1, or a filter to be asked; `seen_count(key, unique_key)` -> count, 1 where it is exact. */
export function seenItemsLua(options: SeenItemsOptions): string {
  const { exactLimit } = options;
  // 512 is Redis's default set-max-intset-entries: beyond it a set costs eight times as much.
  if (!Number.isInteger(exactLimit) || exactLimit < 0 || exactLimit > 512) {
    throw new RangeError(`exactLimit ${exactLimit} cannot be used: give a whole number from 0 to 512.`);
  }
  return `${seenFilterLua(options.engine, options)}
local function is_large(key)
  local form = redis.call('TYPE', key).ok
  return form ~= 'set' and form ~= 'none'
end

local function seen_add(key, unique_key, item)
  local added = false
  if ${exactLimit} > 0 then
    added = redis.pcall('SADD', key, item)
    if type(added) == 'number' then
      local count = redis.call('SCARD', key)
      if added == 0 then return 1, false, count end
      if count <= ${exactLimit} then return 0, count == 1, count end
      local members = redis.call('SMEMBERS', key)
      redis.call('DEL', key)
      filter_create(key)
      for _, member in ipairs(members) do filter_add(key, member) end
      redis.call('PFADD', unique_key, unpack(members))
      return 0, true
    end
    -- Anything but "this is a filter already" (out of memory, say) must not reach the DEL below.
    if not string.find(added.err, 'WRONGTYPE', 1, true) then error(added.err) end
  end
  local made = false
  if not is_large(key) then
    local members = redis.call('SMEMBERS', key)
    redis.call('DEL', key)
    filter_create(key)
    for _, member in ipairs(members) do filter_add(key, member) end
    if #members > 0 then redis.call('PFADD', unique_key, unpack(members)) end
    made = true
  end
  local seen = filter_add(key, item)
  if seen == 0 then redis.call('PFADD', unique_key, item) end
  return seen, made
end

local function seen_has(key, items)
  local answers = redis.pcall('SMISMEMBER', key, unpack(items))
  if answers.err == nil then return answers end
  return filter_fetch_or_has(key, items)
end

local function seen_count(key, unique_key)
  local count = redis.pcall('SCARD', key)
  if type(count) == 'number' then return count, 1 end
  return redis.call('PFCOUNT', unique_key), 0
end
`;
}

/** A count of different items, and whether it is exact or an estimate. */
export interface SeenCount {
  readonly count: number;
  readonly exact: boolean;
}

/** The seen items of sessions. Items are given as item keys (`ItemKey`). */
export class SeenItems {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #mark: Script<number[]>;
  readonly #has: Script<number[] | Buffer>;
  readonly #count: Script<[number, number]>;

  constructor(redis: RedisConnection, keys: Keys, options: SeenItemsOptions = SEEN_ITEMS_DEFAULTS) {
    const lua = seenItemsLua(options);
    this.#redis = redis;
    this.#keys = keys;
    /* Input: KEYS seen items, unique count; ARGV retention in seconds, items.
       Output: per item 1 where it had been seen. */
    this.#mark = new Script(`${lua}
      local answers = {}
      for i = 2, #ARGV do answers[i - 1] = (seen_add(KEYS[1], KEYS[2], ARGV[i])) end
      redis.call('EXPIRE', KEYS[1], ARGV[1])
      redis.call('EXPIRE', KEYS[2], ARGV[1])
      return answers`);
    /* Input: KEYS seen items; ARGV the items. Output: per item 1 where it was seen, or a filter to be asked. */
    this.#has = new Script(`${lua} return seen_has(KEYS[1], ARGV)`);
    /* Input: KEYS seen items, unique count. Output: the count, 1 where it is exact. */
    this.#count = new Script(`${lua} return { seen_count(KEYS[1], KEYS[2]) }`);
  }

  /** Marks items as seen, for `retentionSeconds` from now; returns, per item, whether it had been seen before.
   *  A false "seen" happens at the configured error rate (in the small form never), a false "unseen" never. */
  async mark(
    session: string,
    kind: 'page' | 'item',
    items: readonly string[],
    retentionSeconds: number,
  ): Promise<boolean[]> {
    if (items.length === 0) return [];
    return runStep(this.#redis, this.marking(session, kind, items, retentionSeconds));
  }

  /** The step that `mark` does. At least one item. */
  marking(session: string, kind: 'page' | 'item', items: readonly string[], retentionSeconds: number): Step<boolean[]> {
    const keys = [this.#keys.seenItems(session, kind), this.#keys.uniqueCount(session, kind)];
    return makeStep(this.#mark, keys, [retentionSeconds, ...items], (seen) => seen.map((each) => each === 1));
  }

  /** Per item, whether it was seen. One native command while the session is small, one script when it is large. */
  async has(session: string, kind: 'page' | 'item', items: readonly string[]): Promise<boolean[]> {
    if (items.length === 0) return [];
    const key = this.#keys.seenItems(session, kind);
    const answers = await this.#redis
      .command<number[]>('SMISMEMBER', key, ...items)
      .catch((error: Error) => (error.message.startsWith('WRONGTYPE') ? undefined : Promise.reject(error)));
    return readAnswers(answers ?? (await this.#has.runForBuffers(this.#redis, [key], items)), items);
  }

  /** How many different items were seen. */
  async count(session: string, kind: 'page' | 'item'): Promise<SeenCount> {
    const keys = [this.#keys.seenItems(session, kind), this.#keys.uniqueCount(session, kind)];
    const [count, exact] = await this.#count.run(this.#redis, keys, []);
    return { count, exact: exact === 1 };
  }
}
