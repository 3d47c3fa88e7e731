import type { CommandConnection, Keys, Step } from '../../redis/index.ts';
import { commitScript, deadLetterEntry, dropEntry, REFUSED } from './commit-scripts.ts';
import type { StreamEntry } from './stream-entry.ts';
import { parseTries, type Tries } from './tries.ts';
import { beginTry, endTry } from './try-scripts.ts';

/** What the owner of a partition does in Redis. Each step is refused when the ownership has ended, but for `endTry` and
 *  `allTries`. */
export class PartitionSteps {
  readonly #redis: CommandConnection;
  readonly #anywhere: CommandConnection;
  readonly #token: string;
  readonly #owner: string;
  readonly #tries: string;
  readonly #all: readonly string[];

  /** `redis`: goes to the server on which the partition was taken, and to no other; `anywhere`: to whichever holds it
   *  now, for marks. */
  constructor(redis: CommandConnection, anywhere: CommandConnection, keys: Keys, partition: number, token: string) {
    this.#redis = redis;
    this.#anywhere = anywhere;
    this.#token = token;
    this.#owner = keys.owner(partition);
    this.#tries = keys.tries(partition);
    this.#all = [this.#owner, keys.requests(partition), keys.done(partition), this.#tries, keys.deadLetters(partition)];
  }

  /** Takes an entry off its stream together with a step's effects; what the step answers. */
  commit(entry: StreamEntry, step: Step<unknown>): Promise<unknown> {
    return commitScript(step.script).run(
      this.#redis,
      [...step.keys, ...this.#all],
      [...step.args, ...this.#argumentsOf(entry)],
    );
  }

  /** Takes an entry off its stream that has no effects. */
  async drop(entry: StreamEntry): Promise<void> {
    await dropEntry.run(this.#redis, this.#all, this.#argumentsOf(entry));
  }

  /** Puts an entry to the dead letters. Whether it was there. */
  async deadLetter(entry: StreamEntry, reason: string): Promise<boolean> {
    try {
      await deadLetterEntry.run(this.#redis, this.#all, [reason, ...this.#argumentsOf(entry)]);
      return true;
    } catch (error) {
      if (refusalOf(error) === REFUSED.gone) return false;
      throw error;
    }
  }

  /** Marks a try of an entry before it is made. What is known against it now, this mark included. */
  async beginTry(id: string): Promise<Tries> {
    const text = await beginTry.run(this.#redis, [this.#owner, this.#tries], [this.#token, id]);
    if (text === null) throw new Error(REFUSED.notOwner);
    return parseTries(text);
  }

  /** Takes a mark back; what is known against the entry then. */
  async endTry(id: string, hasFailed: boolean): Promise<Tries> {
    return parseTries(await endTry.run(this.#anywhere, [this.#tries], [this.#token, id, hasFailed ? 1 : 0]));
  }

  /** What is known against all entries now: texts of `Tries` by entry. */
  allTries(): Promise<Record<string, string>> {
    return this.#anywhere.command('HGETALL', this.#tries);
  }

  #argumentsOf({
    id,
    command,
    session,
    request,
    isSealed,
    payload,
    bytes,
    deadlineMs,
  }: StreamEntry): (string | number)[] {
    const field = bytes !== undefined ? ['bytes', bytes] : [isSealed ? 'e' : 'p', payload];
    return [this.#token, id, command, session, request, ...field, deadlineMs];
  }
}

/** Which of REFUSED an error is, or '' for any other; undefined for none. */
export function refusalOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  const { message } = error as Error;
  return Object.values(REFUSED).find((code) => message.includes(code)) ?? '';
}
