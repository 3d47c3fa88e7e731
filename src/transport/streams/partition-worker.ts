import { setTimeout as pause } from 'node:timers/promises';
import { ProtocolError } from '../../protocol/index.ts';
import { isTransient, type Keys, type RedisConnection } from '../../redis/index.ts';
import { EntryServer, type ServerContext } from './entry-server.ts';
import { PartitionSteps, refusalOf } from './partition-steps.ts';
import { decodeEntry, millisecondsOf, type StreamEntry } from './stream-entry.ts';
import { REFUSED } from './stream-scripts.ts';
import type { TryGate } from './try-gate.ts';

/* partition-worker.ts: the time in which an instance owns a partition.
 *
 * It reads from the beginning, because what stands in the stream is what is not done. The requests of one session are
 * served one after another, those of different sessions side by side. Whatever goes wrong with Redis ends the ownership:
 * the next one begins at the beginning again, under a token of its own, and what the old one still has under way is
 * refused.
 *
 * A request may fell the process that serves it. Those that the last owner may have had in hand when it ended are
 * suspects: each try of theirs is counted before it is made (try-gate.ts). A try that fails and one that does not end are
 * counted as well. What was tried thrice goes to the dead letters. */

/** The most requests of a partition in hand at once; thus also the most that can be suspects. Part of the format: an
 *  owner takes as many for suspects as its predecessor may have had in hand. */
export const IN_HAND_LIMIT = 128;
/** How often a request is tried. */
export const MAX_TRIES = 3;

const RETRY_MS = 50;
// Those that are above suspicion are served first, then those that were tried less: they need not wait until the others
// have felled this process too.
const SUSPECT_WAIT_MS = 50;

/** What the workers of an instance share. */
export interface WorkerContext extends ServerContext {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  /** One for all partitions of the process. */
  readonly gate: TryGate;
}

/** One instance's ownership of one partition, from when it took the lease until it gave it back or lost it. */
export class PartitionWorker {
  readonly partition: number;
  readonly token: string;
  /** The key of its stream. */
  readonly key: string;
  /** The last entry that was read. */
  position = '0-0';
  /** When the lease was last certain, on the clock of `performance.now()`. */
  renewedAt: number = performance.now();
  /** How long the stream was when the lease was last renewed. */
  backlog = 0;
  readonly #context: WorkerContext;
  readonly #steps: PartitionSteps;
  readonly #server: EntryServer;
  readonly #suspectsUntil: number;
  readonly #sessions = new Map<string, Promise<void>>();
  readonly #inHand = new Set<string>();
  #tries = new Map<string, number>();
  #suspectsLeft = IN_HAND_LIMIT;
  #beganAt = 0;
  #forgotten = '';
  #ended = false;
  #reads = true;
  #idle: (() => void) | undefined;

  /** `suspectsUntil`: what was added later, in milliseconds of the epoch by Redis's clock, no former owner had in hand
   *  when it died. */
  constructor(partition: number, token: string, suspectsUntil: number, context: WorkerContext) {
    const { redis, keys } = context;
    this.partition = partition;
    this.token = token;
    this.#context = context;
    this.key = keys.requests(partition);
    this.#steps = new PartitionSteps(redis, keys, partition, token);
    this.#server = new EntryServer(context, this.#steps, () => this.#ended);
    this.#suspectsUntil = suspectsUntil;
  }

  /** Requests in hand. */
  get inHand(): number {
    return this.#inHand.size;
  }

  /** Whether it is over: lost, or given back. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** How many further entries it takes now. */
  get room(): number {
    return this.#reads && !this.#ended ? IN_HAND_LIMIT - this.#inHand.size : 0;
  }

  /** What is known of tries under former owners, ids and counts in turn; before anything is accepted. */
  knowTries(flat: readonly string[]): void {
    for (let i = 0; i + 1 < flat.length; i += 2) this.#tries.set(flat[i]!, Number(flat[i + 1]));
  }

  /** Takes what was read from its stream, in order; at most `room`. */
  accept(entries: readonly (readonly [id: string, fields: readonly string[]])[]): void {
    if (this.#beganAt === 0) this.#beganAt = performance.now();
    for (const [id, fields] of entries) {
      this.position = id;
      const entry = decodeEntry(this.partition, id, fields);
      const isSuspect = this.#suspectsLeft > 0 && millisecondsOf(id) <= this.#suspectsUntil;
      this.#suspectsLeft = isSuspect ? this.#suspectsLeft - 1 : 0;
      this.#inHand.add(id);
      if (entry) this.#enqueue(entry, isSuspect);
      else
        void this.#settle(id, this.#server.bury(malformed(id, fields), 'malformed: not an entry of docs/protocol.md'));
    }
  }

  /** Hears of a renewal: how long the stream was, and its oldest entry. One that was read past and that nobody has in hand
   *  came back with a Redis that lost its last second, or was overlooked: the next ownership begins with it. */
  renew(renewedAt: number, backlog: number, oldest: string): void {
    this.renewedAt = renewedAt;
    this.backlog = backlog;
    const isForgotten = oldest !== '' && !isAfter(oldest, this.position) && !this.#inHand.has(oldest);
    // It may just have been done: then it is not the oldest the next time.
    if (isForgotten && oldest === this.#forgotten) this.lose();
    this.#forgotten = isForgotten ? oldest : '';
  }

  /** It cannot go on, for a reason that does not pass by itself. */
  fail(error: Error): void {
    if (!this.#ended) this.#context.events.failing(this.partition, error);
    this.lose();
  }

  /** Nothing more is done under this lease: it is lost. */
  lose(): void {
    this.#ended = true;
    this.#idle?.();
  }

  /** Reads nothing more, and waits for what is in hand, at most `deadlineMs`. Whether all of it was finished. */
  async drain(deadlineMs: number): Promise<boolean> {
    this.#reads = false;
    if (this.#inHand.size === 0 || this.#ended) return this.#inHand.size === 0;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, deadlineMs);
    });
    clearTimeout(timer);
    return this.#inHand.size === 0;
  }

  #enqueue(entry: StreamEntry, isSuspect: boolean): void {
    const { id, session } = entry;
    const serve = (): Promise<void> => this.#serve(entry, isSuspect);
    const before = this.#sessions.get(session);
    const work = before ? before.then(serve) : serve();
    this.#sessions.set(session, work);
    void this.#settle(id, work).then(() => this.#sessions.get(session) === work && this.#sessions.delete(session));
  }

  async #settle(id: string, work: Promise<unknown>): Promise<void> {
    await work.catch((error: Error) => (isPassing(error) ? this.lose() : this.fail(error)));
    this.#inHand.delete(id);
    this.#tries.delete(id);
    if (this.#inHand.size === 0) this.#idle?.();
  }

  /** Rejects where the ownership must end. */
  async #serve(entry: StreamEntry, isSuspect: boolean): Promise<void> {
    const { id } = entry;
    let reason = `${MAX_TRIES} tries ended with the service`;
    let isCounted = isSuspect;
    while (!this.#ended) {
      const tries = this.#tries.get(id) ?? 0;
      if (tries >= MAX_TRIES) return this.#server.giveUp(entry, reason);
      if (isSuspect) await pause(Math.max(0, this.#beganAt + SUSPECT_WAIT_MS * (1 + tries) - performance.now()));
      const failure = isCounted
        ? await this.#context.gate.pass(tries, () => this.#tryCounted(entry))
        : await this.#server.try(entry);
      if (failure === undefined) return;
      reason = failure.message;
      // It failed and the process lives: from now on each try is counted, this one included.
      if (!isCounted) await this.#count(id, 1);
      isCounted = true;
      await pause(RETRY_MS * (this.#tries.get(id) ?? 1));
    }
  }

  async #tryCounted(entry: StreamEntry): Promise<Error | undefined> {
    if (this.#ended) return undefined;
    await this.#count(entry.id, 1);
    try {
      return await this.#server.try(entry);
    } catch (error) {
      // Not the request's fault.
      await this.#count(entry.id, -1).catch(() => undefined);
      throw error;
    }
  }

  async #count(id: string, by: 1 | -1): Promise<void> {
    this.#tries.set(id, await this.#steps.count(id, by));
  }
}

// Redis is away, or not what it should be for a while; or the partition is another's by now.
function isPassing(error: Error): boolean {
  return isTransient(error) || error instanceof ProtocolError || refusalOf(error) === REFUSED.notOwner;
}

function isAfter(id: string, other: string): boolean {
  const [milliseconds, number] = id.split('-').map(Number);
  const [otherMilliseconds, otherNumber] = other.split('-').map(Number);
  return milliseconds! > otherMilliseconds! || (milliseconds === otherMilliseconds && number! > otherNumber!);
}

function malformed(id: string, fields: readonly string[]): StreamEntry {
  const payload = JSON.stringify(fields).slice(0, 1_000);
  return {
    id,
    addedAt: 0,
    command: '',
    session: '',
    request: '',
    payload,
    isSealed: false,
    way: { way: 'none' },
    deadlineMs: 0,
  };
}
