import { setTimeout as pause } from 'node:timers/promises';
import { withDeadline } from '../../async/index.ts';
import { encodeErrorReply, ProtocolError, UnknownCommandError } from '../../protocol/index.ts';
import { isTransient } from '../../redis/index.ts';
import type { ReplySender } from '../service/reply-sender.ts';
import type { ReplyEvents } from '../service/service-transport.ts';
import type { Dispatch, Served } from '../transport.ts';
import { CommitQueue } from './commit-queue.ts';
import { EntryCommit } from './entry-commit.ts';
import { TOO_LARGE } from './entry-size.ts';
import { type PartitionSteps, refusalOf } from './partition-steps.ts';
import type { PayloadDecryptionError } from './payload-decryption-error.ts';
import type { PayloadSeal } from './payload-seal.ts';
import { REFUSED } from './scripts/commit-lua.ts';
import { payloadOf, type StreamEntry } from './stream-entry.ts';
import type { TryDeadlines } from './try-deadlines.ts';

// A command that has not written by then writes nothing any more: the requests of its session wait behind it.
export const TRY_DEADLINE_MS = 10_000;
// A command may read from another server than its partition's, one that is being replaced.
export const PATIENCE_MS = 8_000;
const PATIENT_RETRY_MS = 100;

/** Events of workers. */
export interface StreamEvents extends ReplyEvents {
  /** Done, with or without effects. */
  committed(): void;
  /** Sent twice, and done once. */
  repeated(): void;
  /** Put to the dead letters. */
  deadLettered(entry: { command: string; session: string; id: string }, reason: string): void;
  /** A partition cannot be worked off, for a reason that does not pass by itself. */
  failing(partition: number, error: Error): void;
  /** Done after its deadline: not answered. */
  expired(): void;
}

/** Parts that serving needs. */
export interface ServerContext {
  readonly dispatch: Dispatch;
  readonly replies: ReplySender;
  readonly seal: PayloadSeal;
  readonly events: StreamEvents;
  /** How long a try may take (TRY_DEADLINE_MS). */
  readonly deadlines: TryDeadlines;
  /** Milliseconds of the epoch by Redis's clock. */
  readonly now: () => number;
  /** Whether a moment has passed by Redis's clock, measured anew: it can be set back. */
  readonly hasPassed: (atMs: number) => Promise<boolean>;
}

/** How a try ended: the entry has left its stream; the ownership has ended or the entry was gone, and nothing more is to
 *  be done here; or the command failed. */
export type TryResult = 'left' | 'ended' | Error;

/** Serves the entries of one ownership: each is done, answered and taken off its stream, or put to the dead letters. */
export class EntryServer {
  readonly #context: ServerContext;
  readonly #steps: PartitionSteps;
  readonly #commits: CommitQueue;
  readonly #hasEnded: () => boolean;

  /** `hasEnded`: whether the ownership has. */
  constructor(context: ServerContext, steps: PartitionSteps, hasEnded: () => boolean) {
    this.#context = context;
    this.#steps = steps;
    this.#commits = new CommitQueue(steps, hasEnded);
    this.#hasEnded = hasEnded;
  }

  /** Serves and answers. `isAlone`: whether the entry is committed by itself. Rejects if the ownership must end. */
  try(entry: StreamEntry, isAlone: boolean): Promise<TryResult> {
    if (entry.bytes !== undefined) {
      return this.#refuse(entry, new ProtocolError('too-large', `${TOO_LARGE}.`), TOO_LARGE);
    }
    if (!entry.isSealed) return this.#serve(entry, entry.payload, isAlone);
    let payload: string;
    try {
      payload = payloadOf(entry, this.#context.seal);
    } catch (error) {
      const { message } = error as PayloadDecryptionError;
      return this.#refuse(entry, new ProtocolError('wrong-key', message, { cause: error }), message);
    }
    return this.#serve(entry, payload, isAlone);
  }

  async #serve(entry: StreamEntry, payload: string, isAlone: boolean): Promise<TryResult> {
    const { dispatch, deadlines } = this.#context;
    const commit = new EntryCommit(this.#commits, entry, payload, isAlone);
    const startedAt = performance.now();
    let served = await deadlines.wait(dispatch(entry.command, entry.session, payload, commit.apply));
    if (served?.error !== undefined && isTransient(served.error)) {
      const left = Math.max(0, startedAt + TRY_DEADLINE_MS - performance.now());
      served = await withDeadline(this.#serveAgain(entry, payload, commit, served, startedAt), left, () => undefined);
    }
    commit.end();
    if (commit.outcome === undefined) {
      const result = await this.#judgeWithoutEffects(entry, served);
      if (result !== undefined) return result;
      await commit.drop();
    }
    return this.#finish(entry, commit.outcome?.error, served?.json ?? encodeErrorReply(undefined));
  }

  /** Judges a try that has written nothing. Undefined if the entry may leave its stream without effects. */
  async #judgeWithoutEffects(entry: StreamEntry, served: Served | undefined): Promise<TryResult | undefined> {
    if (this.#hasEnded()) return 'ended';
    if (served === undefined) return new Error(`It was not served within ${TRY_DEADLINE_MS / 1000} seconds`);
    const { error } = served;
    if (error instanceof UnknownCommandError) {
      return this.#refuse(entry, error, 'this version of the service does not know the command');
    }
    if (error === undefined || isRefusal(error)) return undefined;
    // Ends the ownership: the request is not the cause, so it stays in its stream and no try is counted.
    if (isTransient(error) || (error instanceof ProtocolError && error.replyCode !== 'internal')) throw error;
    return error instanceof Error ? error : new Error(String(error));
  }

  /** Reports and answers an entry by how its commit ended. */
  #finish(entry: StreamEntry, error: unknown, json: string): TryResult {
    const { events } = this.#context;
    switch (refusalOf(error)) {
      case undefined:
        events.committed();
        this.#answer(entry, json);
        return 'left';
      case REFUSED.repeated:
        events.repeated();
        return 'left';
      case REFUSED.gone:
        return 'ended';
      case REFUSED.broken:
        events.deadLettered(entry, `its effects failed half-way: ${(error as Error).message}`);
        this.#answer(entry, json);
        // Ends the ownership: further entries would fail in the same way, so they wait until the right is granted.
        if (lacksRight(error as Error)) throw error;
        return 'left';
      default:
        throw error;
    }
  }

  // Repeats a command that failed because a server is unavailable for a while, as long as it has written nothing.
  async #serveAgain(
    entry: StreamEntry,
    payload: string,
    commit: EntryCommit,
    first: Served,
    startedAt: number,
  ): Promise<Served> {
    for (let served = first; ; ) {
      const hasWritten = commit.outcome !== undefined;
      const isLate = performance.now() > startedAt + PATIENCE_MS;
      if (!isTransient(served.error) || hasWritten || this.#hasEnded() || isLate) return served;
      await pause(PATIENT_RETRY_MS);
      served = await this.#context.dispatch(entry.command, entry.session, payload, commit.apply);
    }
  }

  /** Puts an entry whose tries all failed to the dead letters, and answers. */
  async deadLetterAndAnswer(entry: StreamEntry, reason: string): Promise<void> {
    await this.deadLetter(entry, reason);
    this.#answer(entry, encodeErrorReply(undefined));
  }

  /** Puts an entry to the dead letters. */
  async deadLetter(entry: StreamEntry, reason: string): Promise<void> {
    if (await this.#steps.deadLetter(entry, reason)) this.#context.events.deadLettered(entry, reason);
  }

  /** Reports an entry that is too large, and that was put to the dead letters when it was read. */
  reportDeadLettered(entry: StreamEntry): void {
    this.#context.events.deadLettered(entry, TOO_LARGE);
    this.#answer(entry, encodeErrorReply(new ProtocolError('too-large', `${TOO_LARGE}.`)));
  }

  async #refuse(entry: StreamEntry, error: ProtocolError, reason: string): Promise<TryResult> {
    await this.deadLetter(entry, reason);
    this.#answer(entry, encodeErrorReply(error));
    return 'left';
  }

  // Does not wait until the reply is sent. Replies keep their order, except one whose deadline has to be checked again.
  #answer(entry: StreamEntry, json: string): void {
    const { replies, events, now, hasPassed } = this.#context;
    const { replyRoute, deadlineMs, addedAt } = entry;
    if (replyRoute.kind === 'none') return;
    const send = (): void => void replies.send(entry, replyRoute, json).catch(events.replyFailed);
    const until = addedAt + deadlineMs;
    if (deadlineMs === 0 || now() <= until) send();
    else void hasPassed(until).then((isLate) => (isLate ? events.expired() : send()));
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ProtocolError && (error.replyCode === 'bad-payload' || error.replyCode === 'too-large');
}

// Inside a script Redis words a missing right differently: 6.2 and 7.0, then 7.2 and Valkey.
function lacksRight({ message }: Error): boolean {
  return /NOPERM|can't run this command|can't access at least one|ACL failure/i.test(message);
}
