import type { Script, Step } from '../../redis/index.ts';
import { type BatchScript, BatchScripts } from './batch-scripts.ts';
import type { PartitionSteps } from './partition-steps.ts';
import { REFUSED } from './scripts/commit-lua.ts';
import type { StreamEntry } from './stream-entry.ts';

/* commit-queue.ts: commits what an owner has ready, several entries in one step (group commit). While a commit is under
 * way, what becomes ready waits for the next one; a lone entry waits for nothing.
 *
 * Entries of one session are never together in a batch: the next one is served when the one before is committed. */

/** What one batch may cost: Redis does nothing else meanwhile. An entry that costs more by itself is a batch. */
export const BATCH_LIMITS = { requests: 32, items: 256, bytes: 64 * 1024 } as const;

// Further commits would be smaller, and each would check the lease and read the script's functions again.
const MOST_IN_FLIGHT = 1;

/** One entry that is ready to leave its stream. */
export interface ReadyEntry {
  readonly entry: StreamEntry;
  /** The effects of its command; undefined: none. */
  readonly step: Step<unknown> | undefined;
  /** At least how many items its payload has, for the bound of a batch. */
  readonly items: number;
  /** Called once. `error`: undefined where it was committed; then `answer` is the step's. */
  settle(error: unknown, answer: unknown): void;
}

// One set for all partitions of the process.
const BATCH_SCRIPTS = new BatchScripts();

/** Commits the entries of one ownership. */
export class CommitQueue {
  readonly #steps: Pick<PartitionSteps, 'commit'>;
  readonly #hasEnded: () => boolean;
  readonly #scripts: BatchScripts;
  #waiting: ReadyEntry[] = [];
  #inFlight = 0;
  #isScheduled = false;

  /** `hasEnded`: whether the ownership has. */
  constructor(steps: Pick<PartitionSteps, 'commit'>, hasEnded: () => boolean, scripts: BatchScripts = BATCH_SCRIPTS) {
    this.#steps = steps;
    this.#hasEnded = hasEnded;
    this.#scripts = scripts;
  }

  /** Commits an entry, together with others that are ready. */
  add(ready: ReadyEntry): void {
    this.#waiting.push(ready);
    this.#schedule();
  }

  /** Commits an entry at once and by itself: one that may have crashed its process, or that failed before. */
  addAlone(ready: ReadyEntry): void {
    void this.#commit([ready], this.#scripts.of(scriptsOf(ready))!);
  }

  // At the end of the turn: entries that were read together become ready one after another in it.
  #schedule(): void {
    if (this.#isScheduled || this.#inFlight >= MOST_IN_FLIGHT || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    process.nextTick(this.#send);
  }

  readonly #send = (): void => {
    this.#isScheduled = false;
    if (this.#hasEnded()) {
      for (const { settle } of this.#waiting.splice(0)) settle(new Error(`${REFUSED.notOwner} not begun`), undefined);
      return;
    }
    const [batch, script] = this.#take();
    this.#inFlight += 1;
    void this.#commit(batch, script).then(() => {
      this.#inFlight -= 1;
      this.#schedule();
    });
  };

  /** Takes what the next batch holds: the first entries that wait, within the limits. */
  #take(): [batch: ReadyEntry[], script: BatchScript] {
    const scripts: Script<unknown>[] = [];
    let script = this.#scripts.of(scripts)!;
    let [count, items, bytes] = [0, 0, 0];
    for (const ready of this.#waiting) {
      items += ready.items;
      bytes += bytesOf(ready);
      if (count > 0 && (count === BATCH_LIMITS.requests || items > BATCH_LIMITS.items || bytes > BATCH_LIMITS.bytes)) {
        break;
      }
      if (ready.step && !scripts.includes(ready.step.script)) {
        const wider = this.#scripts.of([...scripts, ready.step.script]);
        if (!wider) break;
        script = wider;
        scripts.push(ready.step.script);
      }
      count += 1;
    }
    return [this.#waiting.splice(0, count), script];
  }

  /** Never rejects. */
  async #commit(batch: readonly ReadyEntry[], script: BatchScript): Promise<void> {
    let answers: readonly unknown[];
    try {
      answers = await this.#steps.commit(batch, script);
    } catch (error) {
      for (const { settle } of batch) settle(error, undefined);
      return;
    }
    const begun = answers.length / 2;
    for (let i = 0; i < begun; i += 1) {
      const refusal = answers[2 * i];
      batch[i]!.settle(refusal === 0 ? undefined : new Error(String(refusal)), answers[2 * i + 1]);
    }
    // What stood behind a failure is committed by itself, in its order.
    if (begun < batch.length) {
      this.#waiting = [...batch.slice(begun), ...this.#waiting];
      this.#schedule();
    }
  }
}

function scriptsOf({ step }: ReadyEntry): Script<unknown>[] {
  return step ? [step.script] : [];
}

function bytesOf({ entry, step }: ReadyEntry): number {
  let bytes = entry.payload.length;
  if (step) for (const arg of step.args) bytes += typeof arg === 'number' ? 8 : arg.length;
  return bytes;
}

/** At least how many items a payload has: a list has one more than commas, at the most. */
export function countItems(payload: string): number {
  let items = 1;
  if (payload[0] !== '[' && payload[0] !== '{') return items;
  for (let i = payload.indexOf(','); i >= 0; i = payload.indexOf(',', i + 1)) items += 1;
  return items;
}
