import { setTimeout as pause } from 'node:timers/promises';
import { withDeadline } from '../../async/index.ts';
import { ProtocolError } from '../../protocol/index.ts';
import { type CommandConnection, isTransient } from '../../redis/index.ts';
import { EntriesInHand } from './entries-in-hand.ts';
import { EntryServer, type TryResult } from './entry-server.ts';
import { MAX_ENTRY_BYTES, type RawEntry, shorten, sizeOf } from './entry-size.ts';
import { EntryTries, MAX_TRIES } from './entry-tries.ts';
import type { Ownership, WorkerContext } from './ownership.ts';
import { PartitionSteps, refusalOf } from './partition-steps.ts';
import { REFUSED } from './scripts/commit-lua.ts';
import { decodeEntry, millisecondsOf, type StreamEntry } from './stream-entry.ts';
import { streamsOf } from './stream-of.ts';

/* partition-worker.ts: the time in which an instance owns a partition.
 *
 * It reads the stream from its beginning, because the stream holds exactly the requests that are not done. Requests of
 * one session are served one after another, those of different sessions concurrently. A failure of Redis ends the
 * ownership: the next one reads from the beginning again, under a token of its own, and Redis refuses the commits of
 * the old one.
 *
 * A request may crash the process that serves it. Each try of an entry that may have been in flight when the last owner
 * crashed is marked before it is made (tries.ts) and isolated (poison-isolation.ts). A mark whose process is gone counts as
 * a try, and so do tries that fail or do not end. After three the entry goes to the dead letters. */

/** The most requests of a partition in hand at once; thus also the most that can have been in flight when an owner
 *  crashed. Part of the format: an owner marks the tries of as many as its predecessor may have had in hand. */
export const IN_HAND_LIMIT = 128;
// Limits memory: entries that wait behind others are held, for each of 64 partitions.
const IN_HAND_BYTES = 256 * 1024;

const RETRY_MS = 50;
const ENDED_WITH_SERVICE = `${MAX_TRIES} tries ended with the service`;
const MALFORMED = 'malformed: not an entry of docs/protocol.md';
// Serves entries with fewer marks first, so that they are done before an entry that crashes the process is tried again.
const IN_FLIGHT_WAIT_MS = 50;

/** One instance's ownership of one partition, from when it took the lease until it gave it back or lost it. */
export class PartitionWorker {
  readonly partition: number;
  readonly token: string;
  /** Where its lease is renewed. */
  readonly leases: CommandConnection;
  /** The key of its stream. */
  readonly key: string;
  /** The keys of its owner and its dead letters. */
  readonly owner: string;
  readonly deadLetters: string;
  /** The last entry that was read. */
  position = '0-0';
  /** When the lease was last certain, on the clock of `performance.now()`. */
  renewedAt: number = performance.now();
  /** When entries were last read, on the same clock. */
  activeAt: number = Number.NEGATIVE_INFINITY;
  /** How long the stream was when the lease was last renewed. */
  backlog = 0;
  /** Whether one entry is tried at first. */
  isCautious: boolean;
  /** Whether the stream may hold more entries behind `position`. */
  isBehind = true;
  readonly #context: WorkerContext;
  readonly #tries: EntryTries;
  readonly #server: EntryServer;
  readonly #inFlightUntil: number;
  readonly #streams: number;
  // Of each session with requests in hand, the last one and when it is done.
  readonly #sessions = new Map<string, { last: StreamEntry; done: Promise<void> }>();
  readonly #inHand = new EntriesInHand();
  #inFlightAtCrashLeft = IN_HAND_LIMIT;
  #beganAt = 0;
  #forgotten = '';
  #ended = false;
  #reads = true;

  constructor({ partition, token, redis, leases, inFlightUntil, isCautious }: Ownership, context: WorkerContext) {
    this.partition = partition;
    this.token = token;
    this.leases = leases;
    this.#context = context;
    this.key = context.keys.requests(partition);
    this.owner = context.keys.owner(partition);
    this.deadLetters = context.keys.deadLetters(partition);
    const steps = new PartitionSteps(redis, context.redis, context.keys, partition, token);
    this.#tries = new EntryTries(steps, token, context.isPresent, () => this.#ended);
    this.#server = new EntryServer(context, steps, () => this.#ended);
    this.#inFlightUntil = inFlightUntil;
    this.#streams = streamsOf(context.redis);
    this.isCautious = isCautious;
  }

  /** Requests in hand. */
  get inHand(): number {
    return this.#inHand.size;
  }

  /** The oldest entry in hand, or ''. */
  get oldestInHand(): string {
    return this.#inHand.oldest;
  }

  /** Whether it is over: lost, or given back. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** How many further entries it takes now. */
  get room(): number {
    if (!this.#reads || this.#ended || this.#inHand.bytes >= IN_HAND_BYTES) return 0;
    return (this.isCautious ? 1 : IN_HAND_LIMIT) - this.#inHand.size;
  }

  /** How many bytes it takes now, but for the last entry. */
  get roomForBytes(): number {
    return IN_HAND_BYTES - this.#inHand.bytes;
  }

  /** Takes over the tries under former owners: ids and texts, alternating. Must be called before `accept`. */
  knowTries(flat: readonly string[]): void {
    this.#tries.know(flat);
  }

  /** Takes entries that were read from its stream, in their order. */
  accept(entries: readonly RawEntry[]): void {
    if (entries.length > 0) this.activeAt = performance.now();
    if (this.#beganAt === 0) this.#beganAt = performance.now();
    for (const raw of entries) {
      const size = sizeOf(raw);
      const isUnread = raw[2] !== undefined;
      const [id, fields, bytes, isDeadLettered] = size > MAX_ENTRY_BYTES && !isUnread ? shorten(raw, size) : raw;
      this.position = id;
      const entry = decodeEntry(this.partition, this.#streams, id, fields, bytes);
      if (isDeadLettered) {
        this.#server.reportDeadLettered(entry ?? this.#malformed(id, fields, bytes));
        continue;
      }
      const inFlightAtCrash = this.#inFlightAtCrashLeft > 0 && millisecondsOf(id) <= this.#inFlightUntil;
      this.#inFlightAtCrashLeft = inFlightAtCrash ? this.#inFlightAtCrashLeft - 1 : 0;
      this.#inHand.add(id, Math.min(size, MAX_ENTRY_BYTES));
      if (entry) this.#enqueue(entry, inFlightAtCrash);
      else void this.#dropMalformed(this.#malformed(id, fields, bytes));
    }
  }

  /** Notes that the lease was renewed. `backlog`: how long the stream was. `forgotten`: an entry that was read past and was
   *  not in hand when the renewal was sent. It came back with a Redis that lost its last second, or was overlooked: the
   *  next ownership begins with it. */
  renew(renewedAt: number, backlog: number, forgotten: string): void {
    this.renewedAt = renewedAt;
    this.backlog = backlog;
    // It may just have been done: then it is not there the next time.
    if (forgotten !== '' && forgotten === this.#forgotten) this.lose();
    this.#forgotten = forgotten;
  }

  /** Ends the ownership for a reason that does not pass by itself. */
  fail(error: Error): void {
    if (this.#ended) return;
    this.#context.events.failing(this.partition, error);
    this.#end(true);
  }

  /** Takes back the marks of all entries in hand: they have not crashed this process. */
  takeMarksBack(): void {
    this.#tries.takeAllBack();
  }

  /** Ends the ownership: nothing more is done under this lease. */
  lose(): void {
    this.#end(false);
  }

  #end(hasFailed: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#inHand.wake();
    this.#context.onEnd(this, hasFailed);
  }

  /** Stops reading and waits for the entries in hand, at most `deadlineMs`. Whether all of them were finished. */
  async drain(deadlineMs: number): Promise<boolean> {
    this.#reads = false;
    if (this.#inHand.size === 0 || this.#ended) return this.#inHand.size === 0;
    await withDeadline(this.#inHand.untilNone(), deadlineMs, () => undefined);
    return this.#inHand.size === 0;
  }

  #enqueue(entry: StreamEntry, inFlightAtCrash: boolean): void {
    const before = this.#sessions.get(entry.session);
    const done = this.#work(entry, inFlightAtCrash, before?.done);
    if (before) [before.last, before.done] = [entry, done];
    else this.#sessions.set(entry.session, { last: entry, done });
  }

  /** Never rejects: the next request of its session begins when it has ended. */
  async #work(entry: StreamEntry, inFlightAtCrash: boolean, before: Promise<void> | undefined): Promise<void> {
    try {
      if (before) await before;
      await this.#serve(entry, inFlightAtCrash);
      this.isCautious = false;
    } catch (error) {
      this.#endFor(error as Error);
    }
    // `#enqueue` has noted it by now: `#serve` has let at least one turn of promises pass.
    if (this.#sessions.get(entry.session)?.last === entry) this.#sessions.delete(entry.session);
    this.#release(entry.id);
  }

  async #dropMalformed(entry: StreamEntry): Promise<void> {
    try {
      await this.#server.deadLetter(entry, MALFORMED);
      this.isCautious = false;
    } catch (error) {
      this.#endFor(error as Error);
    }
    this.#release(entry.id);
  }

  #endFor(error: Error): void {
    if (isPassing(error)) this.lose();
    else this.fail(error);
  }

  #release(id: string): void {
    this.#tries.forget(id);
    this.#inHand.remove(id);
  }

  #malformed(id: string, fields: readonly string[], bytes: number | undefined): StreamEntry {
    const payload = JSON.stringify(fields).slice(0, 1_000);
    const entry = {
      id,
      command: '',
      session: '',
      request: '',
      payload,
      isSealed: false,
      deadlineMs: 0,
      isOnce: false,
      bytes,
    };
    return { ...entry, addedAt: 0, replyRoute: { kind: 'none' } };
  }

  /** Rejects where the ownership must end. */
  async #serve(entry: StreamEntry, inFlightAtCrash: boolean): Promise<void> {
    // Sealed, a payload is a third longer.
    const bytes = entry.payload.length * (entry.isSealed ? 3 / 4 : 1);
    const entered = this.#context.admission.enter(entry.command, bytes);
    const leave = entered instanceof Promise ? await entered : entered;
    try {
      if (this.#ended) return;
      const isSuspect = inFlightAtCrash || this.#tries.has(entry.id);
      const result = isSuspect ? undefined : await this.#server.try(entry, false);
      if (isSuspect || result instanceof Error) await this.#tryUntilDone(entry, inFlightAtCrash, result);
    } finally {
      leave();
    }
  }

  /** Tries an entry by itself until it is done, or was tried often enough. `failure`: that of its first try, if there was
   *  one. */
  async #tryUntilDone(entry: StreamEntry, inFlightAtCrash: boolean, failure: TryResult | undefined): Promise<void> {
    const { id } = entry;
    let failed = failure;
    let isCounted = inFlightAtCrash;
    for (;;) {
      if (failed instanceof Error) {
        // It failed and the process lives: from now on each try is marked, and this one counts as well.
        if (!isCounted) await this.#tries.fail(id);
        isCounted = true;
        await pause(RETRY_MS * this.#tries.countOf(id));
      }
      if (this.#ended) return;
      if (this.#tries.has(id) && (await this.#tries.isEnough(id))) {
        const reason = failed instanceof Error ? failed.message : ENDED_WITH_SERVICE;
        return this.#server.deadLetterAndAnswer(entry, reason);
      }
      const tries = this.#tries.countOf(id);
      if (inFlightAtCrash) {
        await pause(Math.max(0, this.#beganAt + IN_FLIGHT_WAIT_MS * (1 + tries) - performance.now()));
      }
      failed = isCounted
        ? await this.#context.isolation.run(tries, () => this.#tries.mark(id, () => this.#server.try(entry, true)))
        : await this.#server.try(entry, true);
      if (!(failed instanceof Error)) return;
    }
  }
}

// Whether the reason of an error passes by itself: Redis or the service refuses for a while, or another instance owns
// the partition by now.
function isPassing(error: Error): boolean {
  return isTransient(error) || error instanceof ProtocolError || refusalOf(error) === REFUSED.notOwner;
}
