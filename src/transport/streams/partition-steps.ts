import type { CommandConnection, Keys, Step } from '../../redis/index.ts';
import { beginTry } from './scripts/begin-try.ts';
import { commitEntry } from './scripts/commit-entry.ts';
import { REFUSED } from './scripts/commit-lua.ts';
import { deadLetterEntry } from './scripts/dead-letter-entry.ts';
import { dropEntry } from './scripts/drop-entry.ts';
import { endTry } from './scripts/end-try.ts';
import type { StreamEntry } from './stream-entry.ts';
import { parseTries, type Tries } from './tries.ts';

/** The steps of a partition's owner in Redis. Each is refused when the ownership has ended, but for `endTry` and
 *  `allTries`. */
export class PartitionSteps {
  readonly #redis: CommandConnection;
  readonly #anywhere: CommandConnection;
  readonly #token: string;
  readonly #keys: Readonly<Record<'owner' | 'requests' | 'done' | 'tries' | 'deadLetters', string>>;

  /** `redis`: goes to the server on which the partition was taken, and to no other; `anywhere`: goes to the server that
   *  holds the partition now, for marks. */
  constructor(redis: CommandConnection, anywhere: CommandConnection, keys: Keys, partition: number, token: string) {
    this.#redis = redis;
    this.#anywhere = anywhere;
    this.#token = token;
    this.#keys = {
      owner: keys.owner(partition),
      requests: keys.requests(partition),
      done: keys.done(partition),
      tries: keys.tries(partition),
      deadLetters: keys.deadLetters(partition),
    };
  }

  /** Takes an entry off its stream together with a step's effects. Returns the step's answer. */
  commit(entry: StreamEntry, step: Step<unknown>): Promise<unknown> {
    return commitEntry.run(this.#redis, step, this.#keys, this.#argumentsOf(entry));
  }

  /** Takes an entry without effects off its stream. */
  async drop(entry: StreamEntry): Promise<void> {
    await dropEntry.run(this.#redis, this.#keys, this.#argumentsOf(entry));
  }

  /** Adds an entry to the dead letters. Returns whether it was still in its stream. */
  async deadLetter(entry: StreamEntry, reason: string): Promise<boolean> {
    try {
      await deadLetterEntry.run(this.#redis, this.#keys, { ...this.#argumentsOf(entry), reason });
      return true;
    } catch (error) {
      if (refusalOf(error) === REFUSED.gone) return false;
      throw error;
    }
  }

  /** Marks a try of an entry before it is made. Returns the entry's tries, this mark included. */
  async beginTry(id: string): Promise<Tries> {
    const text = await beginTry.run(this.#redis, this.#keys, { token: this.#token, entry: id });
    if (text === null) throw new Error(REFUSED.notOwner);
    return parseTries(text);
  }

  /** Takes a mark back. Returns the entry's tries then. */
  async endTry(id: string, hasFailed: boolean): Promise<Tries> {
    return parseTries(await endTry.run(this.#anywhere, this.#keys, { token: this.#token, entry: id, hasFailed }));
  }

  /** Reads the tries of all entries: texts of `Tries` by entry. */
  allTries(): Promise<Record<string, string>> {
    return this.#anywhere.command('HGETALL', this.#keys.tries);
  }

  #argumentsOf({ id, command, session, request, isSealed, payload, bytes, deadlineMs }: StreamEntry) {
    const [payloadField, value] = bytes !== undefined ? ['bytes', String(bytes)] : [isSealed ? 'e' : 'p', payload];
    return { token: this.#token, entry: id, command, session, request, payloadField, payload: value, deadlineMs };
  }
}

/** Reads the code of REFUSED off an error: '' for any other error, undefined for none. */
export function refusalOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  const { message } = error as Error;
  return Object.values(REFUSED).find((code) => message.includes(code)) ?? '';
}
