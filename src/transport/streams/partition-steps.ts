import type { CommandConnection, Keys, ScriptArgument } from '../../redis/index.ts';
import type { BatchScript } from './batch-scripts.ts';
import type { ReadyEntry } from './commit-queue.ts';
import { beginTry } from './scripts/begin-try.ts';
import { encodeHead } from './scripts/commit-batch.ts';
import { REFUSED } from './scripts/commit-lua.ts';
import { deadLetterEntry } from './scripts/dead-letter-entry.ts';
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

  /** Takes entries off their stream, each together with the effects of its step. Returns two answers for each that was
   *  begun (commit-batch.ts). */
  commit(batch: readonly ReadyEntry[], { script, numbers }: BatchScript): Promise<unknown[]> {
    const keys: string[] = [];
    const args: ScriptArgument[] = [];
    for (const { entry, step } of batch) {
      const { id, command, session, request, isSealed, payload, deadlineMs } = entry;
      const labels = `${command} ${isSealed ? 'e' : 'p'} ${deadlineMs}`;
      if (!step) {
        args.push(encodeHead(0, 0, 0, false), id, session, request, labels, payload);
        continue;
      }
      const number = numbers.get(step.script.hash)!;
      const head = encodeHead(number, step.keys.length, step.args.length, !entry.isOnce);
      args.push(head, id, session, request, labels, payload);
      for (const key of step.keys) keys.push(key);
      for (const arg of step.args) args.push(arg);
    }
    return script.run(this.#redis, this.#keys, { token: this.#token }, { keys, args });
  }

  /** Adds an entry to the dead letters. Returns whether it was still in its stream. */
  async deadLetter(entry: StreamEntry, reason: string): Promise<boolean> {
    try {
      await deadLetterEntry.run(this.#redis, this.#keys, {
        token: this.#token,
        entry: entry.id,
        command: entry.command,
        session: entry.session,
        request: entry.request,
        payloadField: entry.bytes === undefined ? (entry.isSealed ? 'e' : 'p') : 'bytes',
        payload: entry.bytes === undefined ? entry.payload : String(entry.bytes),
        deadlineMs: entry.deadlineMs,
        reason,
      });
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
}

/** Reads the code of REFUSED off an error: '' for any other error, undefined for none. */
export function refusalOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  const { message } = error as Error;
  return Object.values(REFUSED).find((code) => message.includes(code)) ?? '';
}
