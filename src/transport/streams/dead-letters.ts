import { type Keys, PARTITIONS, type RedisConnection, Script } from '../../redis/index.ts';
import { DeadLetterEmptyError } from './dead-letter-empty-error.ts';
import { DeadLetterUnknownError } from './dead-letter-unknown-error.ts';
import { PayloadDecryptionError } from './payload-decryption-error.ts';
import type { PayloadSeal } from './payload-seal.ts';
import { millisecondsOf } from './stream-entry.ts';

/** A request that was given up. */
export interface DeadLetter {
  /** `<partition>/<entry>`: what `retry` and `drop` take. */
  readonly id: string;
  /** Command, session and request are empty where it was no request, or was not read. */
  readonly command: string;
  readonly session: string;
  readonly request: string;
  /** In the clear where it could be opened, else undefined. */
  readonly payload: string | undefined;
  /** The payload's size: in the clear where it could be opened, else as it came. Of what was given up unread, the whole
   *  entry's. */
  readonly bytes: number | undefined;
  readonly reason: string;
  /** When it was given up, in milliseconds of the epoch. */
  readonly at: number;
}

/** What came of having all dead letters done again. */
export interface Retried {
  readonly retried: number;
  /** Those that hold no request; they stay. */
  readonly skipped: number;
}

// What one step handles: Redis serves nobody else meanwhile. One letter is always handled, whatever its size.
const LETTERS_AT_ONCE = 100;
const BYTES_AT_ONCE = 1024 * 1024;
// A payload at its limit, sealed, is shorter.
const LONGEST_SHOWN = 128 * 1024;

/* Reads letters, the newest first, entry by entry: their sizes are not known before.
 * Input: KEYS dead letters; ARGV the newest id, how many, how many bytes, the longest payload that is given back.
 * Output: per letter its id, fields and values; of a longer payload the field `bytes` in its place. */
const readDeadLetters = new Script<Entry[]>(`
local page, bytes, newest = {}, 0, ARGV[1]
while #page < tonumber(ARGV[2]) and bytes < tonumber(ARGV[3]) do
  local entry = redis.call('XREVRANGE', KEYS[1], newest, '-', 'COUNT', 1)[1]
  if not entry then break end
  local found = {}
  for i = 1, #entry[2], 2 do
    local name, value = entry[2][i], entry[2][i + 1]
    bytes = bytes + #name + #value
    if #value <= tonumber(ARGV[4]) then found[name] = value
    elseif name == 'p' or name == 'e' then found.bytes = tostring(#value) end
  end
  local fields = {}
  for _, name in ipairs({ 'c', 's', 'r', 'p', 'e', 'reason', 'bytes' }) do
    if found[name] then fields[#fields + 1], fields[#fields + 2] = name, found[name] end
  end
  page[#page + 1] = { entry[1], fields }
  newest = '(' .. entry[1]
end
return page`);

/* Puts dead letters back at the end of their stream, to be done and not to be answered: whoever asked has gone. Effects
 * that broke half-way count as done, so the request's id is forgotten then. Else it stays: its twin, sent again under the
 * same id, may have been done meanwhile. What is no request is left where it is.
 * Input: KEYS dead letters, requests, done; ARGV the oldest id, the newest ('': the newest that there is), how many, how
 * many bytes.
 * Output: the id to go on from ('' where all are done), the newest, how many were put back, how many were left. */
const retryDeadLetters = new Script<[next: string, newest: string, retried: number, skipped: number]>(`
local oldest, newest, bytes, retried, skipped = ARGV[1], ARGV[2], 0, 0, 0
if newest == '' then
  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  if not last then return { '', '', 0, 0 } end
  newest = last[1]
end
while retried + skipped < tonumber(ARGV[3]) and bytes < tonumber(ARGV[4]) do
  local entry = redis.call('XRANGE', KEYS[1], oldest, newest, 'COUNT', 1)[1]
  if not entry then return { '', newest, retried, skipped } end
  local found = {}
  for i = 1, #entry[2], 2 do
    found[entry[2][i]] = entry[2][i + 1]
    bytes = bytes + #entry[2][i] + #entry[2][i + 1]
  end
  local has_names = (found.c or '') ~= '' and (found.s or '') ~= '' and (found.r or '') ~= ''
  local kind = found.e and 'e' or 'p'
  if has_names and found[kind] then
    if found.half then redis.call('ZREM', KEYS[3], found.s .. ':' .. found.r) end
    local again = redis.call('XADD', KEYS[2], '*', 'd', '1', 'c', found.c, 's', found.s, 'r', found.r, kind, found[kind])
    local dropped = redis.pcall('XDEL', KEYS[1], entry[1])
    if type(dropped) == 'table' then
      redis.pcall('XDEL', KEYS[2], again)
      return dropped
    end
    retried = retried + 1
  else skipped = skipped + 1 end
  oldest = '(' .. entry[1]
end
return { oldest, newest, retried, skipped }`);

/* Forgets all letters of a partition. Input: KEYS dead letters. Output: how many. */
const dropDeadLetters = new Script<number>(`
local count = redis.call('XLEN', KEYS[1])
redis.call('UNLINK', KEYS[1])
return count`);

/** The requests of a namespace that were given up: about the last 1,000 of each partition. */
export class DeadLetters {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #seal: PayloadSeal;

  constructor(redis: RedisConnection, keys: Keys, seal: PayloadSeal) {
    this.#redis = redis;
    this.#keys = keys;
    this.#seal = seal;
  }

  /** How many there are. */
  async count(): Promise<number> {
    const counts = await Promise.all(
      partitions().map((partition) => this.#redis.command<number>('XLEN', this.#keys.deadLetters(partition))),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** The newest, the newest first, at most `limit`. */
  async list(limit: number): Promise<DeadLetter[]> {
    const lines = partitions().map((partition) => ({ partition, read: [] as DeadLetter[], newest: '+' }));
    const fill = async (line: (typeof lines)[number]): Promise<void> => {
      const page = await readDeadLetters.run(
        this.#redis,
        [this.#keys.deadLetters(line.partition)],
        [line.newest, Math.min(limit, LETTERS_AT_ONCE), BYTES_AT_ONCE / 4, LONGEST_SHOWN],
      );
      line.read = page.map((entry) => this.#read(line.partition, entry));
      line.newest = page.length === 0 ? '' : `(${page.at(-1)![0]}`;
    };
    await Promise.all(lines.map(fill));
    const letters: DeadLetter[] = [];
    while (letters.length < limit) {
      const [line] = lines
        .filter(({ read }) => read.length > 0)
        .sort((one, other) => other.read[0]!.at - one.read[0]!.at);
      if (line === undefined) break;
      letters.push(line.read.shift()!);
      if (line.read.length === 0) await fill(line);
    }
    return letters;
  }

  /** Has one done again.
   *  @throws DeadLetterUnknownError, DeadLetterEmptyError, RangeError for what is no id. */
  async retry(id: string): Promise<void> {
    const { partition, entry } = parseId(id);
    const [, , retried, skipped] = await this.#retry(partition, entry, entry, 1);
    if (skipped > 0) {
      throw new DeadLetterEmptyError(
        `The dead letter ${id} holds no request, so it cannot be done again: \`sessionwise deadletters drop ${id}\` forgets it.`,
      );
    }
    if (retried === 0) throw unknown(id);
  }

  /** Forgets one.
   *  @throws DeadLetterUnknownError, RangeError for what is no id. */
  async drop(id: string): Promise<void> {
    const { partition, entry } = parseId(id);
    const dropped = await this.#redis.command<number>('XDEL', this.#keys.deadLetters(partition), entry);
    if (dropped === 0) throw unknown(id);
  }

  /** Has all done again that there are now, in steps of at most 100 letters and about a megabyte. */
  async retryAll(): Promise<Retried> {
    const sums = { retried: 0, skipped: 0 };
    const retryPartition = async (partition: number): Promise<void> => {
      for (let [oldest, last] = ['-', '']; oldest !== ''; ) {
        const [next, newest, retried, skipped] = await this.#retry(partition, oldest, last, LETTERS_AT_ONCE);
        sums.retried += retried;
        sums.skipped += skipped;
        [oldest, last] = [next, newest];
      }
    };
    await Promise.all(partitions().map(retryPartition));
    return sums;
  }

  /** Forgets all that there are now. How many. */
  async dropAll(): Promise<number> {
    const dropped = await Promise.all(
      partitions().map((partition) => dropDeadLetters.run(this.#redis, [this.#keys.deadLetters(partition)], [])),
    );
    return dropped.reduce((sum, count) => sum + count, 0);
  }

  #retry(
    partition: number,
    oldest: string,
    newest: string,
    most: number,
  ): Promise<[next: string, newest: string, retried: number, skipped: number]> {
    const keys = [this.#keys.deadLetters(partition), this.#keys.requests(partition), this.#keys.done(partition)];
    return retryDeadLetters.run(this.#redis, keys, [oldest, newest, most, BYTES_AT_ONCE]);
  }

  #read(partition: number, [entry, fields]: Entry): DeadLetter {
    const found: Record<string, string> = {};
    for (let i = 0; i < fields.length; i += 2) found[fields[i]!] = fields[i + 1]!;
    const { c: command = '', s: session = '', r: request = '', p, e, reason = '' } = found;
    const payload = e === undefined ? p : this.#open({ command, session, request }, e);
    const size = Buffer.byteLength(payload ?? e ?? '');
    const bytes = payload === undefined && e === undefined ? Number(found.bytes ?? Number.NaN) : size;
    return {
      id: `${partition}/${entry}`,
      command,
      session,
      request,
      payload,
      bytes: Number.isSafeInteger(bytes) ? bytes : undefined,
      reason,
      at: millisecondsOf(entry),
    };
  }

  #open(context: { command: string; session: string; request: string }, sealed: string): string | undefined {
    try {
      return this.#seal.open(context, sealed);
    } catch (error) {
      if (error instanceof PayloadDecryptionError) return undefined;
      throw error;
    }
  }
}

type Entry = [id: string, fields: string[]];

function partitions(): number[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => partition);
}

function parseId(id: string): { partition: number; entry: string } {
  const [, partition, entry] = /^(\d{1,2})\/(\d+-\d+)$/.exec(id) ?? [];
  if (entry === undefined || Number(partition) >= PARTITIONS) {
    throw new RangeError(`${JSON.stringify(id)} is no dead letter's id: give one that \`deadletters list\` shows.`);
  }
  return { partition: Number(partition), entry };
}

function unknown(id: string): DeadLetterUnknownError {
  return new DeadLetterUnknownError(`There is no dead letter ${id} (any more): see \`sessionwise deadletters list\`.`);
}
