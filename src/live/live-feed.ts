import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { warnOnce } from '../protocol/internal/index.ts';
import { isTransient, type Keys, type RedisConnection } from '../redis/index.ts';
import { isBefore, type LiveEvent, lengthOf, type RawEntry, readLiveEvent, readSessionChange } from './live-event.ts';

const BLOCK_MS = 2_000;
const MOST_ENTRIES = '500';
const PAUSE_MS = 200;
/** Events of so many characters are told in one turn. What is written in a turn is sent at its end: more at once would look
 *  like a visitor who does not read. */
const TOLD_IN_A_TURN = 16_000;

/** Told what happens. */
export interface FeedListener {
  /** The feed follows what happens behind this event. */
  begin(id: string): void;
  event(event: LiveEvent): void;
  /** A session has ended: it was destroyed, or its time was over. */
  ended(session: string): void;
  /** A session was given to a user: another one than before, or the same again. */
  identified(session: string): void;
  /** Events were lost: Redis kept them no longer than the feed was away. */
  gap(): void;
}

/** Follows what happens in a namespace over one connection, for all visitors of the process. While Redis is away it tries
 *  again, and goes on where it was. */
export class LiveFeed {
  readonly #redis: RedisConnection;
  readonly #waiting: RedisConnection;
  readonly #live: string;
  readonly #lifecycle: string;
  readonly #listener: FeedListener;
  readonly #stopping = new AbortController();
  #positions: { live: string; lifecycle: string } | undefined;
  #isBehind = true;
  #running: Promise<void> | undefined;
  #isReady: () => void = () => undefined;
  /** Resolves when it is known where to follow from. */
  readonly ready: Promise<void> = new Promise((resolve) => {
    this.#isReady = resolve;
  });

  /** `redis`: an open connection to the namespace's Redis; the feed makes another from it, on which it waits. */
  constructor(redis: RedisConnection, keys: Keys, listener: FeedListener) {
    this.#live = keys.live();
    this.#lifecycle = keys.lifecycle();
    this.#listener = listener;
    this.#redis = redis;
    this.#waiting = redis.duplicateFor(this.#live, 'sessionwise-live');
    this.#waiting.on('lost', () => {
      this.#isBehind = true;
    });
  }

  /** The id of the last event that was told; undefined until it is known. */
  get position(): string | undefined {
    return this.#positions?.live;
  }

  /** Begins to follow. */
  start(): void {
    if (this.#running) return;
    this.#waiting.open();
    this.#running = this.#run();
  }

  /** Reads what happened behind an event, at most 1,000; undefined where Redis keeps it no longer.
   *  @throws whatever Redis refuses with. */
  async since(id: string): Promise<LiveEvent[] | undefined> {
    const [first] = await this.#redis.command<RawEntry[]>('XRANGE', this.#live, '-', '+', 'COUNT', '1');
    // A stream that was empty then, and has lost entries since, has more than are read here.
    if (first && id !== NONE && isBefore(id, first[0])) return undefined;
    const entries = await this.#redis.command<RawEntry[]>('XRANGE', this.#live, `(${id}`, '+', 'COUNT', '1001');
    if (entries.length > 1_000) return undefined;
    return entries.map(readLiveEvent).filter((event) => event !== undefined);
  }

  /** Stops following and closes the connection. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#waiting.destroy();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (!this.#positions) await this.#findPositions();
        if (this.#isBehind) await this.#checkGap();
        await this.#read(this.#positions!);
      } catch (error) {
        if (!signal.aborted && !isTransient(error))
          warnOnce('SESSIONWISE_LIVE_REFUSED', refusedBecause(error as Error));
        await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #read(positions: { live: string; lifecycle: string }): Promise<void> {
    const reply = await this.#waiting.command<Record<string, RawEntry[]> | null>(
      ...['XREAD', 'COUNT', MOST_ENTRIES, 'BLOCK', String(BLOCK_MS), 'STREAMS'],
      ...[this.#live, this.#lifecycle, positions.live, positions.lifecycle],
    );
    let told = 0;
    for (const entry of reply?.[this.#live] ?? []) {
      const event = readLiveEvent(entry);
      if (event && event.event !== 'changed') told += lengthOf(entry);
      if (told > TOLD_IN_A_TURN) {
        told = 0;
        await nextTurn(undefined, { signal: this.#stopping.signal });
      }
      positions.live = entry[0];
      if (event) this.#listener.event(event);
    }
    for (const entry of reply?.[this.#lifecycle] ?? []) {
      positions.lifecycle = entry[0];
      const change = readSessionChange(entry);
      if (change?.hasEnded) this.#listener.ended(change.session);
      else if (change) this.#listener.identified(change.session);
    }
  }

  // What fell off the stream's end while the feed was away is lost.
  async #checkGap(): Promise<void> {
    const [first] = await this.#waiting.command<RawEntry[]>('XRANGE', this.#live, '-', '+', 'COUNT', '1');
    this.#isBehind = false;
    const { live } = this.#positions!;
    if (first && live !== NONE && isBefore(live, first[0])) this.#listener.gap();
  }

  async #findPositions(): Promise<void> {
    const [live, lifecycle] = await Promise.all([this.#lastOf(this.#live), this.#lastOf(this.#lifecycle)]);
    this.#positions = { live, lifecycle };
    this.#listener.begin(live);
    this.#isReady();
  }

  async #lastOf(stream: string): Promise<string> {
    const [last] = await this.#waiting.command<RawEntry[]>('XREVRANGE', stream, '+', '-', 'COUNT', '1');
    return last?.[0] ?? NONE;
  }
}

function refusedBecause({ message }: Error): string {
  const hint = message.includes('NOPERM') ? ' `sessionwise acl --live` prints the rights.' : '';
  return `Live streams are told nothing: Redis refuses what they read (${message}).${hint}`;
}

/** Before all events. */
const NONE = '0-0';
