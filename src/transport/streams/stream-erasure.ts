import { type CommandConnection, type Keys, PARTITIONS } from '../../redis/index.ts';
import type { PayloadSeal } from './payload-seal.ts';
import { eraseDone } from './scripts/erase-done.ts';
import { eraseEntries } from './scripts/erase-entries.ts';
import { rewriteStream } from './scripts/rewrite-stream.ts';
import { WaitingMerges } from './waiting-merges.ts';

/** What an erasure deleted from the streams, by kind. */
export interface ErasedRequests {
  /** Requests that waited in a stream. */
  readonly requests: number;
  readonly deadLetters: number;
  /** Ids of requests that were done, kept for a minute so that none counts twice. */
  readonly requestIds: number;
}

// Limits of one step: Redis serves no other command meanwhile. One entry of any size is always handled.
const ENTRIES_AT_ONCE = 200;
const BYTES_AT_ONCE = 1024 * 1024;
const IDS_AT_ONCE = 1_000;
const SUBJECTS_AT_ONCE = 1_000;
/** The longest stream that is written anew: that takes about 2 microseconds an entry, in one step. */
const MOST_REWRITTEN = 20_000;

/** Erases what the streams hold of some subjects, in every byte of them: of all partitions, because it depends on the deployment in which stream
 *  a subject's requests stand. */
export class StreamErasure {
  readonly #redis: CommandConnection;
  readonly #keys: Keys;
  readonly #merges: WaitingMerges;

  /** `redis`: each of its commands is a step, and gets its deadline there. `seal`: opens what was sealed. */
  constructor(redis: CommandConnection, keys: Keys, seal: PayloadSeal) {
    this.#redis = redis;
    this.#keys = keys;
    this.#merges = new WaitingMerges(redis, seal);
  }

  /** Lists the sessions that requests and dead letters would merge into a person: what is known of them is known of the
   *  person. `person`: as it stands on the wire. */
  async sourcesOf(person: string): Promise<string[]> {
    const streams = Array.from({ length: PARTITIONS }, (_, partition) => [
      this.#keys.requests(partition),
      this.#keys.deadLetters(partition),
    ]).flat();
    const merges = (await Promise.all(streams.map((stream) => this.#merges.of(stream)))).flat();
    return [...new Set(merges.filter((merge) => merge.person === person).flatMap(({ sources }) => sources))];
  }

  /** Erases requests, dead letters and ids of requests of `subjects`: sessions and persons, as they stand on the wire. */
  async erase(subjects: readonly string[]): Promise<ErasedRequests> {
    const sums = { requests: 0, deadLetters: 0, requestIds: 0 };
    if (subjects.length === 0) return sums;
    for (let at = 0; at < subjects.length; at += SUBJECTS_AT_ONCE) {
      const some = subjects.slice(at, at + SUBJECTS_AT_ONCE);
      for (let partition = 0; partition < PARTITIONS; partition += 1) {
        const tries = this.#keys.tries(partition);
        const requests = await this.#eraseEntries(this.#keys.requests(partition), tries, some);
        // What was done before has left with the blocks that hold it, or leaves when its neighbours are done.
        if (requests > 0) await this.#rewrite(this.#keys.requests(partition), this.#keys.rewritten(partition));
        sums.requests += requests;
        // Behind the requests: an owner makes dead letters of them.
        sums.deadLetters += await this.#eraseEntries(this.#keys.deadLetters(partition), tries, some);
        sums.requestIds += await this.#eraseIds(this.#keys.done(partition), some);
      }
    }
    await this.#rewriteAll();
    return sums;
  }

  // Whatever was deleted now: one that was interrupted, or a letter that was dropped, has left its bytes.
  async #rewriteAll(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      await this.#rewrite(this.#keys.deadLetters(partition), this.#keys.rewritten(partition));
    }
    for (const stream of [this.#keys.lifecycle(), this.#keys.live()]) {
      await this.#rewrite(stream, this.#keys.rewrittenLifecycle());
    }
  }

  async #rewrite(stream: string, fresh: string): Promise<void> {
    await rewriteStream.run(this.#redis, { stream, fresh }, { most: MOST_REWRITTEN });
  }

  async #eraseEntries(stream: string, tries: string, subjects: readonly string[]): Promise<number> {
    let [deleted, mayMerge] = [0, false];
    for (let from = '-'; from !== ''; ) {
      const args = { from, mostEntries: ENTRIES_AT_ONCE, mostBytes: BYTES_AT_ONCE };
      const [count, last, merges] = await eraseEntries.run(this.#redis, { stream, tries }, args, { args: subjects });
      deleted += count;
      mayMerge ||= merges === 1;
      from = last === '' ? '' : `(${last}`;
    }
    return mayMerge ? deleted + (await this.#eraseMerges(stream, tries, subjects)) : deleted;
  }

  // Those of others, whose payloads name one of the subjects.
  async #eraseMerges(stream: string, tries: string, subjects: readonly string[]): Promise<number> {
    const names = new Set(subjects);
    const merges = await this.#merges.of(stream);
    const ids = merges.filter(({ sources }) => sources.some((source) => names.has(source))).map(({ id }) => id);
    if (ids.length === 0) return 0;
    const deleted = await this.#redis.command<number>('XDEL', stream, ...ids);
    await this.#redis.command('HDEL', tries, ...ids);
    return deleted;
  }

  async #eraseIds(done: string, subjects: readonly string[]): Promise<number> {
    let deleted = 0;
    for (let cursor = ''; cursor !== '0'; ) {
      const args = { cursor: cursor || '0', count: IDS_AT_ONCE };
      const [next, count] = await eraseDone.run(this.#redis, { done }, args, { args: subjects });
      deleted += count;
      cursor = next;
    }
    return deleted;
  }
}
