import { randomBytes } from 'node:crypto';
import { withDeadline } from '../async/index.ts';
import { warnOnce } from '../protocol/internal/index.ts';
import { isTransient, type RedisConnection } from '../redis/index.ts';
import type { CheckedConsumeOptions } from './consume-options.ts';
import type { EventGap } from './consumed-event.ts';
import { ConsumerRefusedError } from './consumer-refused-error.ts';
import { beginGroup } from './scripts/begin-group.ts';
import { leaveGroup } from './scripts/leave-group.ts';
import { takeEntry } from './scripts/take-entry.ts';
import { orAborted, pauseUntil } from './until-aborted.ts';

/* stream-consumer.ts: a loop over the events of a stream, by a consumer group.
 *
 * One event is in hand at a time, so `tries` counts true tries, a slow loop keeps nothing from the others, and memory does
 * not grow with the stream. One script acknowledges the event in hand and takes the next one, over the connection that the
 * process has anyway. Only where there is none, a connection of its own waits: by XREAD, which takes nothing, so that no event
 * is lost to a reply that was on its way when the connection broke.
 *
 * An event that a loop gave back (it ended over it) rests before it is taken again, twice as long each time: one over which
 * every loop fails holds up no other. */

/** An entry of a stream, as its event is read from it. */
export interface StreamEntry {
  readonly id: string;
  readonly fields: Readonly<Record<string, string>>;
  /** How often the group got it, this time included. */
  readonly tries: number;
}

/** Where events come from. */
export interface EventSource<Event> {
  /** What the events are of, for messages: "lifecycle events". */
  readonly what: string;
  readonly stream: string;
  /** The connection to take events over. It is opened and closed here if `ownsRedis`, at the first event that is asked for and at
   *  the end. */
  readonly redis: () => RedisConnection;
  readonly ownsRedis: boolean;
  /** The values of the field `event` that are read; others are passed. */
  readonly wanted: readonly string[];
  /** Reads an entry; undefined for one that is not of the right form: it is passed. What it throws ends the loop. */
  read(entry: StreamEntry): Event | undefined;
}

const LONGEST_BLOCK_MS = 2_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
const FIRST_REST_MS = 1_000;
const LEAVE_DEADLINE_MS = 1_000;
const TELL_AFTER_MS = 1_000;
const WARN_AFTER_MS = 5_000;
/** Longer than any loop is silent that has nothing in hand. */
const SILENT_MS = 3_600_000;

/** A loop over events, for `for await`. It begins when the first event is asked for. */
export class StreamConsumer<Event> implements AsyncIterableIterator<Event | EventGap> {
  readonly #source: EventSource<Event>;
  readonly #options: CheckedConsumeOptions;
  readonly #name = randomBytes(8).toString('hex');
  readonly #ending = new AbortController();
  readonly #onAbort = (): void => {
    this.#end();
    // What is in hand is done when the loop asks for the next one.
    if (!this.#inHand) void this.#turn.then(() => this.#leave());
  };
  #redis: RedisConnection | undefined;
  #waiting: RedisConnection | undefined;
  #inHand: StreamEntry | undefined;
  #acknowledged = '';
  #passed = '';
  /** The last entry that the group is known to have got. */
  #position = '';
  #mayHaveMissed = false;
  #down: { readonly since: number; isTold: boolean } | undefined;
  #lastLoss: Error | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #left: Promise<void> | undefined;
  #tellEnd: () => void = () => undefined;

  constructor(source: EventSource<Event>, options: CheckedConsumeOptions) {
    this.#source = source;
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Says that the last event is done, and waits for the next one.
   *  @throws ConsumerRefusedError where Redis refuses for good; what the event cannot be read for. */
  next(): Promise<IteratorResult<Event | EventGap>> {
    const turn = this.#turn.then(() => this.#next());
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Ends the loop. The event in hand counts as not done: it comes again. Resolves when no connection is open. */
  async return(): Promise<IteratorResult<Event | EventGap>> {
    this.#end();
    await this.#turn;
    await this.#leave();
    return { done: true, value: undefined };
  }

  /** Calls `listener` when the loop has ended. */
  onEnd(listener: () => void): void {
    this.#tellEnd = listener;
  }

  async #next(): Promise<IteratorResult<Event | EventGap>> {
    this.#acknowledged = this.#inHand?.id ?? this.#acknowledged;
    this.#inHand = undefined;
    try {
      const event = this.#left ? undefined : await this.#take();
      if (event !== undefined) return { done: false, value: event };
    } catch (error) {
      await this.#leave();
      throw error;
    }
    await this.#leave();
    return { done: true, value: undefined };
  }

  // The next event; undefined where the loop was ended.
  async #take(): Promise<Event | EventGap | undefined> {
    const { signal } = this.#options;
    if (signal?.aborted) this.#end();
    if (this.#isEnding) return undefined;
    if (!this.#redis) {
      signal?.addEventListener('abort', this.#onAbort, { once: true });
      this.#connect();
      await this.#untilDone(() => this.#begin());
    }
    while (!this.#isEnding) {
      const taken = await this.#untilDone(() => this.#step());
      const event = taken && 'event' in taken ? taken : taken && this.#accept(taken);
      if (event !== undefined) return event;
    }
    return undefined;
  }

  #connect(): void {
    const { redis, ownsRedis, stream } = this.#source;
    this.#redis = redis();
    this.#waiting = this.#redis.duplicateFor(stream, 'sessionwise-consumer');
    this.#waiting.on('lost', (error) => {
      this.#lastLoss = error;
    });
    if (ownsRedis) this.#redis.open();
    this.#waiting.open();
  }

  async #begin(): Promise<void> {
    const { group, from } = this.#options;
    const args = { group, from, at: this.#position, silentMs: SILENT_MS };
    const { values } = await beginGroup.run(this.#redis!, this.#keys, args);
    this.#position = values[0];
  }

  // Undefined where there is nothing to take; then it has waited.
  async #step(): Promise<StreamEntry | EventGap | undefined> {
    const { group, takeOverMs } = this.#options;
    const { status, values } = await takeEntry.run(this.#redis!, this.#keys, {
      group,
      consumer: this.#name,
      acknowledged: this.#acknowledged,
      passed: this.#passed,
      takeOverMs,
      recover: this.#mayHaveMissed,
      wanted: this.#source.wanted.join(' '),
    });
    if (status === 'noGroup') return this.#beginAnew();
    this.#acknowledged = '';
    const [id, more, last] = values;
    if (status === 'taken') return { id, fields: fieldsOf(more as string[]), tries: Number(last) };
    if (status === 'gap') {
      this.#passed = String(last);
      return { event: 'gap', from: timeOf(id), until: timeOf(String(more)) };
    }
    this.#mayHaveMissed = false;
    this.#position = id;
    if (status === 'empty') await this.#wait(id);
    return undefined;
  }

  // Undefined for an entry that is none of the events: it is done with the next step.
  #accept(entry: StreamEntry): Event | undefined {
    const { id, tries } = entry;
    this.#mayHaveMissed = false;
    if (tries === 1) this.#position = id;
    this.#inHand = entry;
    const event = this.#source.read(entry);
    if (event !== undefined) return event;
    this.#inHand = undefined;
    this.#acknowledged = id;
    return undefined;
  }

  // Redis has lost the stream, or the group was destroyed. The loop that makes it anew tells the gap.
  async #beginAnew(): Promise<EventGap | undefined> {
    const { group, from } = this.#options;
    const args = { group, from, at: this.#position, silentMs: SILENT_MS };
    const { status, values } = await beginGroup.run(this.#redis!, this.#keys, args);
    const gap: EventGap = { event: 'gap', from: timeOf(this.#position), until: Number(values[1]) };
    this.#position = values[0];
    return status === 'made' ? gap : undefined;
  }

  // Until there is a new entry, or something may be due to be taken over. Steps say whether Redis is there.
  async #wait(last: string): Promise<void> {
    const waiting = this.#waiting!;
    const block = String(Math.min(LONGEST_BLOCK_MS, this.#options.takeOverMs));
    try {
      if (waiting.isReady)
        await waiting.command('XREAD', 'COUNT', '1', 'BLOCK', block, 'STREAMS', this.#source.stream, last);
      else await pauseUntil(waiting, FIRST_PAUSE_MS, this.#ending.signal);
    } catch (error) {
      if (!isTransient(error)) throw error;
      await pauseUntil(waiting, FIRST_PAUSE_MS, this.#ending.signal);
    }
  }

  // Tries until Redis has done it; undefined where the loop was ended meanwhile.
  async #untilDone<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    const { signal } = this.#ending;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        const result = await orAborted(work(), signal);
        this.#down = undefined;
        return result;
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!isTransient(error)) throw this.#refused(error as Error);
        this.#mayHaveMissed = true;
        this.#tellDown(error as Error);
        await pauseUntil(this.#waiting!, pauseMs, signal);
      }
    }
    return undefined;
  }

  #tellDown(error: Error): void {
    const { group, onDown } = this.#options;
    const isAway = (error as { code?: unknown }).code === 'REDIS_NOT_READY';
    const why = isAway ? (this.#lastLoss ?? error) : error;
    this.#down ??= { since: performance.now(), isTold: false };
    const down = this.#down;
    // A connection that is being made, or made again, is not told at once.
    if (!down.isTold && (!isAway || performance.now() - down.since > TELL_AFTER_MS)) {
      down.isTold = true;
      onDown?.(why);
    }
    if (onDown || performance.now() - down.since < WARN_AFTER_MS) return;
    const { what } = this.#source;
    const named = JSON.stringify(group);
    warnOnce('SESSIONWISE_CONSUMER_WAITS', `The consumer group ${named} gets no ${what}: ${why.message}`, group);
  }

  #refused(error: Error): ConsumerRefusedError {
    const { message } = error;
    const hint = /NOPERM|can't run this command/.test(message)
      ? ' `sessionwise acl --consume` prints the rights.'
      : ` Is the key ${this.#source.stream} ours?`;
    return new ConsumerRefusedError(`Redis refuses to hand out ${this.#source.what} (${message}).${hint}`, {
      cause: error,
    });
  }

  get #isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  get #keys(): { readonly stream: string } {
    return { stream: this.#source.stream };
  }

  #end(): void {
    this.#ending.abort();
    this.#waiting?.destroy();
  }

  #leave(): Promise<void> {
    this.#left ??= this.#giveBack();
    return this.#left;
  }

  async #giveBack(): Promise<void> {
    this.#end();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    const redis = this.#redis;
    if (redis) {
      const { group, takeOverMs } = this.#options;
      const rest = Math.min(FIRST_REST_MS * 2 ** ((this.#inHand?.tries ?? 1) - 1), takeOverMs);
      const leaving = leaveGroup.run(redis, this.#keys, {
        group,
        consumer: this.#name,
        acknowledged: this.#acknowledged,
        returned: this.#inHand?.id ?? '',
        restMs: rest,
      });
      await withDeadline(leaving, LEAVE_DEADLINE_MS, () => undefined).catch(() => undefined);
      if (this.#source.ownsRedis) await redis.close();
    }
    this.#tellEnd();
  }
}

function fieldsOf(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!;
  return fields;
}

/** When an entry was written, in milliseconds of the epoch. */
function timeOf(id: string): number {
  return Number.parseInt(id, 10);
}
