import { setTimeout as pause } from 'node:timers/promises';
import { encodeErrorReply, ProtocolError, UnknownCommandError } from '../../protocol/index.ts';
import { isTransient, type Step } from '../../redis/index.ts';
import type { Replies } from '../replies.ts';
import type { Apply, Dispatch, Served } from '../transport.ts';
import { type PartitionSteps, refusalOf } from './partition-steps.ts';
import type { PayloadSeal, SealError } from './payload-seal.ts';
import { payloadOf, type StreamEntry } from './stream-entry.ts';
import { REFUSED } from './stream-scripts.ts';

// A command that has not written by then will not write any more; the requests of its session wait behind it.
const TRY_DEADLINE_MS = 10_000;
// What a command reads may lie on another server than its partition, one that is being replaced.
const PATIENCE_MS = 8_000;
const PATIENT_RETRY_MS = 100;

/** What workers tell as it happens. */
export interface StreamEvents {
  /** Done, with or without effects. */
  committed(): void;
  /** Sent twice, and done once. */
  repeated(): void;
  /** Given up. */
  buried(entry: { command: string; session: string; id: string }, reason: string): void;
  /** A partition cannot be worked off, for a reason that does not pass by itself. */
  failing(partition: number, error: Error): void;
  /** Done after its deadline: not answered. */
  expired(): void;
  untaken(count: number): void;
  replyFailed(error: unknown): void;
}

/** What serving needs. */
export interface ServerContext {
  readonly dispatch: Dispatch;
  readonly replies: Replies;
  readonly seal: PayloadSeal;
  readonly events: StreamEvents;
  /** Milliseconds of the epoch by Redis's clock. */
  readonly now: () => number;
  /** Whether a moment has passed by Redis's clock, measured anew: it can be set back. */
  readonly hasPassed: (atMs: number) => Promise<boolean>;
}

/** Serves the entries of one ownership: each is done, answered and taken off its stream, or put to the dead letters. */
export class EntryServer {
  readonly #context: ServerContext;
  readonly #steps: PartitionSteps;
  readonly #hasEnded: () => boolean;

  /** `hasEnded`: whether the ownership has. */
  constructor(context: ServerContext, steps: PartitionSteps, hasEnded: () => boolean) {
    this.#context = context;
    this.#steps = steps;
    this.#hasEnded = hasEnded;
  }

  /** Serves and answers. Resolves with what the command itself failed with.
   *  Rejects where the ownership must end. */
  async try(entry: StreamEntry): Promise<Error | undefined> {
    const { events, seal } = this.#context;
    let payload: string;
    try {
      payload = payloadOf(entry, seal);
    } catch (error) {
      const { message } = error as SealError;
      await this.bury(entry, message);
      this.#answer(entry, encodeErrorReply(new ProtocolError('wrong-key', message)));
      return undefined;
    }
    let outcome: { readonly error?: unknown } | undefined;
    let isOver = false;
    const apply: Apply = async <Result>(step: Step<Result>): Promise<Result> => {
      if (isOver) throw new Error('This request is not served any more.');
      try {
        const reply = await this.#steps.commit(entry, step);
        outcome = {};
        return step.read(reply);
      } catch (error) {
        outcome = { error };
        throw error;
      }
    };
    const served = await within(
      TRY_DEADLINE_MS,
      this.#dispatch(entry, payload, apply, () => outcome !== undefined),
    );
    isOver = true;
    if (outcome === undefined) {
      if (this.#hasEnded()) return undefined;
      if (served === undefined) return new Error(`It was not served within ${TRY_DEADLINE_MS / 1000} seconds`);
      const { error } = served;
      if (error instanceof UnknownCommandError) {
        await this.bury(entry, 'this version of the service does not know the command');
        this.#answer(entry, served.json);
        return undefined;
      }
      if (error !== undefined && !isRefusal(error)) {
        // It is not the request's own fault: it stays, and costs no try.
        if (isTransient(error) || (error instanceof ProtocolError && error.code !== 'internal')) throw error;
        return error instanceof Error ? error : new Error(String(error));
      }
      try {
        await this.#steps.drop(entry);
      } catch (dropError) {
        outcome = { error: dropError };
      }
    }
    const json = served?.json ?? encodeErrorReply(undefined);
    switch (refusalOf(outcome?.error)) {
      case undefined:
        events.committed();
        this.#answer(entry, json);
        return undefined;
      case REFUSED.repeated:
        events.repeated();
        return undefined;
      case REFUSED.gone:
        return undefined;
      case REFUSED.broken:
        events.buried(entry, 'its effects failed half-way');
        this.#answer(entry, json);
        return undefined;
      default:
        throw outcome!.error;
    }
  }

  // What it reads may lie on a server that is away now: it has not written, and can be asked again.
  #dispatch(
    entry: StreamEntry,
    payload: string,
    apply: Apply,
    hasWritten: () => boolean,
    end = performance.now() + PATIENCE_MS,
  ): Promise<Served> {
    return this.#context.dispatch(entry.command, entry.session, payload, apply).then((served) => {
      if (!isTransient(served.error) || hasWritten() || this.#hasEnded() || performance.now() > end) return served;
      return pause(PATIENT_RETRY_MS).then(() => this.#dispatch(entry, payload, apply, hasWritten, end));
    });
  }

  /** Puts it to the dead letters, and tells who waits. */
  async giveUp(entry: StreamEntry, reason: string): Promise<void> {
    await this.bury(entry, reason);
    this.#answer(entry, encodeErrorReply(undefined));
  }

  /** Puts it to the dead letters. */
  async bury(entry: StreamEntry, reason: string): Promise<void> {
    if (await this.#steps.bury(entry, reason)) this.#context.events.buried(entry, reason);
  }

  // Nobody waits until it is sent: the next request of the session need not, and answers keep their order.
  #answer(entry: StreamEntry, json: string): void {
    const { replies, events, now, hasPassed } = this.#context;
    const { way, deadlineMs, addedAt } = entry;
    if (way.way === 'none') return;
    const send = (): void => void replies.send(entry, way, json).catch(events.replyFailed);
    const until = addedAt + deadlineMs;
    if (deadlineMs === 0 || now() <= until) send();
    else void hasPassed(until).then((isLate) => (isLate ? events.expired() : send()));
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ProtocolError && (error.code === 'bad-payload' || error.code === 'too-large');
}

function within<Result>(deadlineMs: number, work: Promise<Result>): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, deadlineMs, undefined);
    void work.then(resolve, reject).then(() => clearTimeout(timer));
  });
}
