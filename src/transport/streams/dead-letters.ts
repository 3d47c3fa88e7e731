import { type Keys, PARTITIONS, type RedisConnection } from '../../redis/index.ts';
import { DeadLetterEmptyError } from './dead-letter-empty-error.ts';
import { DeadLetterUnknownError } from './dead-letter-unknown-error.ts';
import { PayloadDecryptionError } from './payload-decryption-error.ts';
import type { PayloadSeal } from './payload-seal.ts';
import { dropDeadLetters } from './scripts/drop-dead-letters.ts';
import { type RawLetter, readDeadLetters } from './scripts/read-dead-letters.ts';
import { retryDeadLetters } from './scripts/retry-dead-letters.ts';
import { millisecondsOf } from './stream-entry.ts';

/** A request that failed for good, or that ended its service again and again. */
export interface DeadLetter {
  /** `<partition>/<entry>`: the argument of `retry` and `drop`. */
  readonly id: string;
  /** Command, session and request are empty where the entry was no request, or was not read. */
  readonly command: string;
  readonly session: string;
  readonly request: string;
  /** In the clear where it could be opened, else undefined. */
  readonly payload: string | undefined;
  /** The payload's size: in the clear where it could be opened, else as it came. Where the entry was not read, the size of
   *  the whole entry. */
  readonly bytes: number | undefined;
  readonly reason: string;
  /** When it became a dead letter, in milliseconds of the epoch. */
  readonly at: number;
}

/** Result of `retryAll`. */
export interface Retried {
  readonly retried: number;
  /** Dead letters without a request; they stay. */
  readonly skipped: number;
}

// Limits of one step: Redis serves no other command meanwhile. One letter of any size is always handled.
const LETTERS_AT_ONCE = 100;
const BYTES_AT_ONCE = 1024 * 1024;
// A payload at its limit, sealed, is shorter.
const LONGEST_SHOWN = 128 * 1024;

/** The dead letters of a namespace: about the last 1,000 of each partition. */
export class DeadLetters {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #seal: PayloadSeal;

  constructor(redis: RedisConnection, keys: Keys, seal: PayloadSeal) {
    this.#redis = redis;
    this.#keys = keys;
    this.#seal = seal;
  }

  /** Counts them. */
  async count(): Promise<number> {
    const counts = await Promise.all(
      partitions().map((partition) => this.#redis.command<number>('XLEN', this.#keys.deadLetters(partition))),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Reads the newest, the newest first, at most `limit`. */
  async list(limit: number): Promise<DeadLetter[]> {
    const lines = partitions().map((partition) => ({ partition, read: [] as DeadLetter[], newest: '+' }));
    const fill = async (line: (typeof lines)[number]): Promise<void> => {
      const page = await readDeadLetters.run(
        this.#redis,
        { deadLetters: this.#keys.deadLetters(line.partition) },
        {
          newest: line.newest,
          mostLetters: Math.min(limit, LETTERS_AT_ONCE),
          mostBytes: BYTES_AT_ONCE / 4,
          longestShown: LONGEST_SHOWN,
        },
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

  /** Puts one back into its stream.
   *  @throws DeadLetterUnknownError, DeadLetterEmptyError, RangeError for a malformed id. */
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

  /** Deletes one.
   *  @throws DeadLetterUnknownError, RangeError for a malformed id. */
  async drop(id: string): Promise<void> {
    const { partition, entry } = parseId(id);
    const dropped = await this.#redis.command<number>('XDEL', this.#keys.deadLetters(partition), entry);
    if (dropped === 0) throw unknown(id);
  }

  /** Puts all that there are now back into their streams, in steps of at most 100 letters and about a megabyte. */
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

  /** Deletes all that there are now. Returns how many. */
  async dropAll(): Promise<number> {
    const dropped = await Promise.all(
      partitions().map((partition) =>
        dropDeadLetters.run(this.#redis, { deadLetters: this.#keys.deadLetters(partition) }, {}),
      ),
    );
    return dropped.reduce((sum, count) => sum + count, 0);
  }

  #retry(
    partition: number,
    oldest: string,
    newest: string,
    mostLetters: number,
  ): Promise<[next: string, newest: string, retried: number, skipped: number]> {
    const keys = {
      deadLetters: this.#keys.deadLetters(partition),
      requests: this.#keys.requests(partition),
      done: this.#keys.done(partition),
    };
    return retryDeadLetters.run(this.#redis, keys, { oldest, newest, mostLetters, mostBytes: BYTES_AT_ONCE });
  }

  #read(partition: number, [entry, fields]: RawLetter): DeadLetter {
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
