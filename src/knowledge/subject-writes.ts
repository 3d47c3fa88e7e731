import { type Apply, partitionOf, runStep, type Step } from '../redis/index.ts';
import type { ReadingContext } from './subject-reading.ts';

/** Writes to one subject's record and the parts beside it, in order with the reads of the same process. */
export class SubjectWrites {
  readonly #context: ReadingContext;
  readonly #now: () => number;
  readonly #mergeLate: (subject: string) => Promise<void>;

  /** `now`: milliseconds of the epoch by Redis's clock. `mergeLate`: merges what was noted of a claimed session. */
  constructor(context: ReadingContext, now: () => number, mergeLate: (subject: string) => Promise<void>) {
    this.#context = context;
    this.#now = now;
    this.#mergeLate = mergeLate;
  }

  /** Does a step by itself. */
  readonly apply: Apply = (step) => runStep(this.#context.redis, step);

  /** Does a step; reads of the subject wait for it. */
  write<Result>(subject: string, step: Promise<Step<Result>>, apply: Apply): Promise<Result> {
    const { records, writes } = this.#context;
    const write = step.then((ready) => {
      records.sendBefore(subject);
      return apply(ready);
    });
    return writes.add(subject, write);
  }

  /** What was noted of a claimed session is the person's: the answer waits until it is. Where it cannot be merged now, the
   *  next sweep does it. */
  async mergeLate(subject: string): Promise<void> {
    await this.#mergeLate(subject).catch(() => undefined);
  }

  /** The time by Redis's clock, in seconds of the epoch. */
  seconds(): number {
    return Math.floor(this.#now() / 1_000);
  }

  /** The keys of a subject's record. A step of several keys must be refused as a whole while a slot moves: see `Keys.absent`,
   *  which stands last. */
  keysOf<Parts extends Record<string, string>>(
    subject: string,
    parts: Parts,
  ): { readonly record: string; readonly absent?: string } & Parts {
    const { redis, keys } = this.#context;
    const named = { record: keys.subject(subject), ...parts };
    return redis.movesSlots ? { ...named, absent: keys.absent(partitionOf(subject)) } : named;
  }
}
