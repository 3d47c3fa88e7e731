import type { Keys, RedisConnection, Step } from '../../redis/index.ts';
import type { StreamEntry } from './stream-entry.ts';
import { buryEntry, commitScript, countTry, dropEntry, REFUSED } from './stream-scripts.ts';

/** What the owner of a partition does in Redis. Each step is refused when the ownership has ended. */
export class PartitionSteps {
  readonly #redis: RedisConnection;
  readonly #token: string;
  readonly #owner: string;
  readonly #tries: string;
  readonly #all: readonly string[];

  constructor(redis: RedisConnection, keys: Keys, partition: number, token: string) {
    this.#redis = redis;
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
  async bury(entry: StreamEntry, reason: string): Promise<boolean> {
    try {
      await buryEntry.run(this.#redis, this.#all, [reason, ...this.#argumentsOf(entry)]);
      return true;
    } catch (error) {
      if (refusalOf(error) === REFUSED.gone) return false;
      throw error;
    }
  }

  /** Counts a try of an entry, or takes it back (-1). How many it has now. */
  async count(id: string, by: 1 | -1): Promise<number> {
    const tries = await countTry.run(this.#redis, [this.#owner, this.#tries], [this.#token, id, by]);
    if (tries < 0) throw new Error(REFUSED.notOwner);
    return tries;
  }

  #argumentsOf({ id, command, session, request, isSealed, payload, deadlineMs }: StreamEntry): (string | number)[] {
    return [this.#token, id, command, session, request, isSealed ? 'e' : 'p', payload, deadlineMs];
  }
}

/** Which of REFUSED an error is, or '' for any other; undefined for none. */
export function refusalOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  const { message } = error as Error;
  return Object.values(REFUSED).find((code) => message.includes(code)) ?? '';
}
