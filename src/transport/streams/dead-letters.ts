import { type Keys, PARTITIONS, type RedisConnection, Script } from '../../redis/index.ts';
import { type PayloadSeal, SealError } from './payload-seal.ts';
import { millisecondsOf } from './stream-entry.ts';

/** A request that was given up. */
export interface DeadLetter {
  /** `<partition>/<entry>`: what `retry` and `drop` take. */
  readonly id: string;
  readonly command: string;
  readonly session: string;
  readonly request: string;
  /** In the clear where it could be opened, else undefined. */
  readonly payload: string | undefined;
  readonly reason: string;
  /** When it was given up, in milliseconds of the epoch. */
  readonly at: number;
}

/** There is no such dead letter, or not any more. */
export class DeadLetterUnknownError extends Error {
  override readonly name = 'DeadLetterUnknownError';
  readonly code = 'DEAD_LETTER_UNKNOWN';
}

type Entry = [id: string, fields: string[]];

const PAGE = 100;

/* Puts a dead letter back at the end of its stream, to be done and not to be answered: whoever asked has gone. Effects
 * that broke half-way count as done, so its id is forgotten then. Else it stays: its twin, sent again under the same id,
 * may have been done meanwhile.
 * Input: KEYS dead letters, requests, done; ARGV entry. Output: 1, or 0 where it is not there. */
const retryDeadLetter = new Script<0 | 1>(`
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then return 0 end
local fields, session, request, is_half = {}, '', '', false
for i = 1, #entry[2], 2 do
  local name, value = entry[2][i], entry[2][i + 1]
  if name == 'c' or name == 's' or name == 'r' or name == 'p' or name == 'e' then
    fields[#fields + 1], fields[#fields + 2] = name, value
  end
  if name == 's' then session = value end
  if name == 'r' then request = value end
  if name == 'half' then is_half = true end
end
if is_half then redis.call('ZREM', KEYS[3], session .. ':' .. request) end
redis.call('XADD', KEYS[2], '*', 'd', '1', unpack(fields))
return redis.call('XDEL', KEYS[1], ARGV[1])`);

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
    const read = await Promise.all(
      partitions().map(async (partition) => {
        const key = this.#keys.deadLetters(partition);
        const entries = await this.#redis.command<Entry[]>('XREVRANGE', key, '+', '-', 'COUNT', String(limit));
        return entries.map((entry) => this.#read(partition, entry));
      }),
    );
    return read
      .flat()
      .sort((one, other) => other.at - one.at)
      .slice(0, limit);
  }

  /** Has one done again.
   *  @throws DeadLetterUnknownError, RangeError for what is no id. */
  async retry(id: string): Promise<void> {
    const { partition, entry } = parseId(id);
    const keys = [this.#keys.deadLetters(partition), this.#keys.requests(partition), this.#keys.done(partition)];
    if ((await retryDeadLetter.run(this.#redis, keys, [entry])) === 0) throw unknown(id);
  }

  /** Forgets one.
   *  @throws DeadLetterUnknownError, RangeError for what is no id. */
  async drop(id: string): Promise<void> {
    const { partition, entry } = parseId(id);
    const dropped = await this.#redis.command<number>('XDEL', this.#keys.deadLetters(partition), entry);
    if (dropped === 0) throw unknown(id);
  }

  /** Does `work` with each that there is now. How many. */
  async each(work: (id: string) => Promise<void>): Promise<number> {
    let count = 0;
    for (const partition of partitions()) {
      const key = this.#keys.deadLetters(partition);
      const [last] = await this.#redis.command<Entry[]>('XREVRANGE', key, '+', '-', 'COUNT', '1');
      let from = '-';
      while (last) {
        const entries = await this.#redis.command<Entry[]>('XRANGE', key, from, last[0], 'COUNT', String(PAGE));
        for (const [entry] of entries) await work(`${partition}/${entry}`);
        count += entries.length;
        if (entries.length < PAGE) break;
        from = `(${entries.at(-1)![0]}`;
      }
    }
    return count;
  }

  #read(partition: number, [entry, fields]: Entry): DeadLetter {
    const found: Record<string, string> = {};
    for (let i = 0; i < fields.length; i += 2) found[fields[i]!] = fields[i + 1]!;
    const { c: command = '', s: session = '', r: request = '', p, e, reason = '' } = found;
    const payload = e === undefined ? p : this.#open({ command, session, request }, e);
    return { id: `${partition}/${entry}`, command, session, request, payload, reason, at: millisecondsOf(entry) };
  }

  #open(context: { command: string; session: string; request: string }, sealed: string): string | undefined {
    try {
      return this.#seal.open(context, sealed);
    } catch (error) {
      if (error instanceof SealError) return undefined;
      throw error;
    }
  }
}

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
