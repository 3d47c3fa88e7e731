import { encodeErrorReply, ProtocolError } from '../../protocol/index.ts';
import { isTransient, type Keys, type RedisConnection, type Step } from '../../redis/index.ts';
import type { Replies } from '../replies.ts';
import type { Apply, Dispatch } from '../transport.ts';
import type { PayloadSeal, SealError } from './payload-seal.ts';
import { decodeEntry, payloadOf, type StreamEntry } from './stream-entry.ts';
import { buryEntry, commitScript, countTry, dropEntry, REFUSED } from './stream-scripts.ts';

/* partition-worker.ts: the time in which an instance owns a partition.
 *
 * It reads from the beginning, because what stands in the stream is what is not done. The requests of one session are
 * served one after another, those of different sessions side by side. Whatever goes wrong with Redis ends the ownership:
 * the next one begins at the beginning again, under a token of its own, and what the old one still has under way is
 * refused.
 *
 * A request may fell the process that serves it. Those that the last owner may have had in hand when it ended are
 * suspects: they are served one at a time, each counted before it is tried. */

/** The most requests of a partition in hand at once; thus also the most that can be suspects. Part of the format: an
 *  owner takes as many for suspects as its predecessor may have had in hand. */
export const IN_HAND_LIMIT = 128;
/** How often a request is tried. */
export const MAX_TRIES = 3;

const RETRY_MS = 50;

/** What workers tell as it happens. */
export interface StreamEvents {
  /** Done, with or without effects. */
  committed(): void;
  /** Sent twice, and done once. */
  repeated(): void;
  /** Given up. */
  buried(entry: { command: string; session: string; id: string }, reason: string): void;
  /** Done after its deadline: not answered. */
  expired(): void;
  untaken(count: number): void;
  replyFailed(error: unknown): void;
}

/** What the workers of an instance share. */
export interface WorkerContext {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly dispatch: Dispatch;
  readonly replies: Replies;
  readonly seal: PayloadSeal;
  readonly events: StreamEvents;
  /** Milliseconds of the epoch by Redis's clock. */
  readonly now: () => number;
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
  readonly #takenAt: number;
  readonly #ownKeys: readonly string[];
  readonly #sessions = new Map<string, Promise<void>>();
  #suspectsLeft = IN_HAND_LIMIT;
  #suspects: Promise<void> = Promise.resolve();
  #inHand = 0;
  #ended = false;
  #reads = true;
  #idle: (() => void) | undefined;

  constructor(partition: number, token: string, context: WorkerContext) {
    const { keys } = context;
    this.partition = partition;
    this.token = token;
    this.#context = context;
    this.key = keys.requests(partition);
    this.#ownKeys = [
      keys.owner(partition),
      this.key,
      keys.done(partition),
      keys.tries(partition),
      keys.deadLetters(partition),
    ];
    this.#takenAt = context.now();
  }

  /** Requests in hand. */
  get inHand(): number {
    return this.#inHand;
  }

  /** Whether it is over: lost, or given back. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** How many further entries it takes now. */
  get room(): number {
    return this.#reads && !this.#ended ? IN_HAND_LIMIT - this.#inHand : 0;
  }

  /** Takes what was read from its stream, in order; at most `room`. */
  accept(entries: readonly (readonly [id: string, fields: readonly string[]])[]): void {
    for (const [id, fields] of entries) {
      this.position = id;
      const entry = decodeEntry(id, fields);
      const isSuspect = this.#suspectsLeft > 0 && Number(id.split('-')[0]) <= this.#takenAt;
      this.#suspectsLeft = isSuspect ? this.#suspectsLeft - 1 : 0;
      this.#inHand += 1;
      if (entry) this.#enqueue(entry, isSuspect);
      else void this.#settle(this.#bury(malformed(id, fields), 'malformed: not an entry of docs/protocol.md'));
    }
  }

  /** Nothing more is done under this lease: it is lost. */
  lose(): void {
    this.#ended = true;
    this.#idle?.();
  }

  /** Reads nothing more, and waits for what is in hand, at most `deadlineMs`. Whether all of it was finished. */
  async drain(deadlineMs: number): Promise<boolean> {
    this.#reads = false;
    if (this.#inHand === 0 || this.#ended) return this.#inHand === 0;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, deadlineMs);
    });
    clearTimeout(timer);
    return this.#inHand === 0;
  }

  #enqueue(entry: StreamEntry, isSuspect: boolean): void {
    const { session } = entry;
    const serve = (): Promise<void> => this.#serve(entry, isSuspect);
    const before = this.#sessions.get(session);
    let work: Promise<void>;
    if (isSuspect) {
      // Those before it of the same session are suspects too, and so it stands behind them.
      work = this.#suspects.then(serve);
      this.#suspects = work;
    } else work = before ? before.then(serve) : serve();
    this.#sessions.set(session, work);
    void this.#settle(work).then(() => {
      if (this.#sessions.get(session) === work) this.#sessions.delete(session);
    });
  }

  async #settle(work: Promise<unknown>): Promise<void> {
    await work.catch(() => this.lose());
    this.#inHand -= 1;
    if (this.#inHand === 0) this.#idle?.();
  }

  /** Rejects where the ownership must end. */
  async #serve(entry: StreamEntry, isSuspect: boolean): Promise<void> {
    let counted = isSuspect;
    for (;;) {
      if (this.#ended) return;
      if (counted) {
        const tried = await this.#countTry(entry.id);
        if (tried > MAX_TRIES) return this.#giveUp(entry, `${MAX_TRIES} tries ended with the service`);
      }
      const failure = await this.#try(entry);
      if (failure === undefined) {
        if (counted) this.#forgetTries(entry.id);
        return;
      }
      // It failed and the process lives: from now on each try is counted, this one included.
      const tries = counted ? await this.#triesOf(entry.id) : await this.#countTry(entry.id);
      counted = true;
      if (tries >= MAX_TRIES) return this.#giveUp(entry, failure.message);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * tries));
    }
  }

  /** Serves and answers. Resolves with what the command itself failed with.
   *  Rejects where the ownership must end. */
  async #try(entry: StreamEntry): Promise<Error | undefined> {
    const { dispatch, events, seal } = this.#context;
    let payload: string;
    try {
      payload = payloadOf(entry, seal);
    } catch (error) {
      await this.#bury(entry, (error as SealError).message);
      return undefined;
    }
    let outcome: { readonly error?: unknown } | undefined;
    const apply: Apply = async <Result>(step: Step<Result>): Promise<Result> => {
      try {
        const reply = await this.#commit(entry, step);
        outcome = {};
        return step.read(reply);
      } catch (error) {
        outcome = { error };
        throw error;
      }
    };
    const { json, error } = await dispatch(entry.command, entry.session, payload, apply);
    if (this.#ended) return undefined;
    if (outcome === undefined) {
      if (error !== undefined && !isRefusal(error)) {
        if (isTransient(error) || error instanceof ProtocolError) throw error;
        return error instanceof Error ? error : new Error(String(error));
      }
      try {
        await this.#drop(entry);
      } catch (dropError) {
        outcome = { error: dropError };
      }
    }
    switch (codeOf(outcome?.error)) {
      case undefined:
        events.committed();
        await this.#answer(entry, json);
        return undefined;
      case REFUSED.repeated:
        events.repeated();
        return undefined;
      case REFUSED.gone:
        return undefined;
      case REFUSED.broken:
        events.buried(entry, 'its effects failed half-way');
        await this.#answer(entry, json);
        return undefined;
      default:
        throw outcome!.error;
    }
  }

  #commit(entry: StreamEntry, step: Step<unknown>): Promise<unknown> {
    const { redis } = this.#context;
    return commitScript(step.script).run(
      redis,
      [...step.keys, ...this.#ownKeys],
      [...step.args, ...this.#argumentsOf(entry)],
    );
  }

  async #drop(entry: StreamEntry): Promise<void> {
    await dropEntry.run(this.#context.redis, this.#ownKeys, this.#argumentsOf(entry));
  }

  async #giveUp(entry: StreamEntry, reason: string): Promise<void> {
    await this.#bury(entry, reason);
    await this.#answer(entry, encodeErrorReply(undefined));
  }

  async #bury(entry: StreamEntry, reason: string): Promise<void> {
    try {
      await buryEntry.run(this.#context.redis, this.#ownKeys, [reason, ...this.#argumentsOf(entry)]);
    } catch (error) {
      if (codeOf(error) === REFUSED.gone) return;
      throw error;
    }
    this.#context.events.buried(entry, reason);
  }

  #argumentsOf({ id, command, session, request, isSealed, payload, deadlineMs }: StreamEntry): (string | number)[] {
    return [this.token, id, command, session, request, isSealed ? 'e' : 'p', payload, deadlineMs];
  }

  async #countTry(id: string): Promise<number> {
    const [owner, , , tries] = this.#ownKeys;
    const tried = await countTry.run(this.#context.redis, [owner!, tries!], [this.token, id]);
    if (tried < 0) throw new Error(REFUSED.notOwner);
    return tried;
  }

  async #triesOf(id: string): Promise<number> {
    return Number(await this.#context.redis.command('HGET', this.#ownKeys[3]!, id));
  }

  #forgetTries(id: string): void {
    this.#context.redis.command('HDEL', this.#ownKeys[3]!, id).catch(() => undefined);
  }

  async #answer(entry: StreamEntry, json: string): Promise<void> {
    const { replies, events, now } = this.#context;
    const { way, deadlineMs, addedAt } = entry;
    if (way.way === 'none') return;
    if (deadlineMs > 0 && now() > addedAt + deadlineMs) return events.expired();
    await replies.send(entry, way, json).catch(events.replyFailed);
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ProtocolError && (error.code === 'bad-payload' || error.code === 'too-large');
}

function codeOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  const { message } = error as Error;
  return Object.values(REFUSED).find((code) => message.includes(code)) ?? '';
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
