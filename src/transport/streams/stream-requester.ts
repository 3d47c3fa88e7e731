import { withDeadline } from '../../async/index.ts';
import { HEARTBEAT_TTL_MS, isWriting } from '../../protocol/index.ts';
import { isTransient, Keys, type RedisConnection } from '../../redis/index.ts';
import { NotKeptError } from '../client/not-kept-error.ts';
import type { ReplyInbox } from '../client/reply-inbox.ts';
import { type ClientTransport, NO_ANSWER, type Outcome } from '../transport.ts';
import { PayloadSeal } from './payload-seal.ts';
import { RetryOrder } from './retry-order.ts';
import { addEntry } from './scripts/add-entry.ts';
import { encodeEntry, type StreamRequest } from './stream-entry.ts';
import { StreamLengths } from './stream-lengths.ts';
import { streamOf, streamsOf } from './stream-of.ts';

const RETRY_MS = 50;
// Requests that change nothing may fill only this share of a stream, so that the rest stays free for those that do.
const ASKING_SHARE = 1 / 4;

type NewRequest = Omit<StreamRequest, 'isSealed'>;

export interface StreamRequesterOptions {
  readonly namespace: string;
  /** The most requests that may wait in all streams together. A stream whose share is used up takes no more; of those that
   *  change nothing it takes no more from a quarter of it on. */
  readonly maxBacklog: number;
  /** The namespace's secret: payloads are sealed with it. Without it they are in the clear. */
  readonly secret?: string | undefined;
}

/** The serving layer's side of the streams. A request that Redis has taken is done once, even if the service
 *  crashes. */
export class StreamRequester implements ClientTransport {
  readonly #redis: RedisConnection;
  readonly #inbox: ReplyInbox;
  readonly #keys: Keys;
  readonly #mostPerStream: number;
  readonly #seal: PayloadSeal | undefined;
  readonly #order = new RetryOrder();
  readonly #lengths: StreamLengths;
  #closed = false;

  constructor(redis: RedisConnection, inbox: ReplyInbox, { namespace, maxBacklog, secret }: StreamRequesterOptions) {
    this.#redis = redis;
    this.#inbox = inbox;
    this.#keys = new Keys(namespace);
    this.#lengths = new StreamLengths(redis);
    this.#mostPerStream = Math.ceil(maxBacklog / streamsOf(redis));
    this.#seal = secret === undefined ? undefined : new PayloadSeal(secret, namespace);
  }

  /** Waits behind a mark of the same session that is being sent again, so that their order stays. */
  async publish(command: string, session: string, payload: string): Promise<boolean> {
    this.#isUnserved();
    const add = (): Promise<boolean> => this.#addUnanswered(command, session, payload);
    return this.#order.isHeld(session) ? this.#inTurn(session, add) : add();
  }

  async sendDurably(command: string, session: string, payload: string, deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs;
    const request = this.#newRequest();
    this.#isUnserved();
    let turn = this.#order.isHeld(session) ? this.#order.join(session) : undefined;
    try {
      for (let failure: Error | undefined; ; ) {
        // Requests before this one do not delay it beyond its own deadline.
        if (turn?.before) await replyBefore(end, turn.before).catch(() => undefined);
        if (this.#closed)
          throw new NotKeptError(
            'NOT_KEPT',
            `${command} was not ${failure ? 'certainly ' : ''}taken: the client is closed.`,
          );
        const adding = this.#add({ command, session, request, payload, deadlineMs: 0, isOnce: false });
        const added = await replyBefore(end, adding).catch((error: Error) => error);
        if (added === true) return;
        if (added === false && failure === undefined) {
          throw new NotKeptError(
            'BACKLOG_FULL',
            `There is no room in the stream, or in Redis: ${command} was not taken. Is a service running?`,
          );
        }
        // The request may have been taken although sending it failed. So it is sent again under the same id, and counts
        // once. If there is no room for it then, its outcome is unknown.
        if (added !== false) failure = added;
        if (added === false || !isTransient(added) || performance.now() + RETRY_MS >= end) {
          throw new NotKeptError('NOT_KEPT', `${command} was not certainly taken: ${failure!.message}`, {
            cause: failure,
          });
        }
        turn ??= this.#order.join(session);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    } finally {
      turn?.leave();
    }
  }

  request(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    if (!this.#redis.isReadyFor(this.#keyOf(session))) return Promise.resolve(NO_ANSWER.disconnected);
    if (!this.#order.isHeld(session)) return this.#exchange(command, session, payload, deadlineMs);
    const end = performance.now() + deadlineMs;
    return new Promise((resolve) => {
      let isLate = false;
      // Counts as disconnected and not as a miss of the service: Redis has not taken the mark by then.
      const timer = setTimeout(() => {
        isLate = true;
        resolve(NO_ANSWER.disconnected);
      }, deadlineMs);
      void this.#inTurn(session, async () => {
        clearTimeout(timer);
        if (!isLate) {
          resolve(this.#exchange(command, session, payload, Math.max(1, end - performance.now())));
          return;
        }
        // Sends a view all the same: it counts without an answer.
        if (isWriting(command)) {
          await this.#addUnanswered(command, session, payload);
        }
      });
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #keyOf(session: string): string {
    return this.#keys.requests(streamOf(session, this.#redis));
  }

  #newRequest(): string {
    return `_${this.#inbox.id}-${this.#inbox.nextNumber()}`;
  }

  // Keeps the order of sending only: all requests go over one connection, so the next may go as soon as this one was
  // sent.
  async #inTurn<Result>(session: string, send: () => Promise<Result>): Promise<Result> {
    const { before, leave } = this.#order.join(session);
    try {
      await before;
      const sent = send();
      leave();
      return await sent;
    } finally {
      leave();
    }
  }

  #exchange(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    const publish = isWriting(command) ? () => this.publish(command, session, payload) : undefined;
    return this.#inbox.exchange(deadlineMs, publish, async (request) => {
      const isUnserved = this.#isUnserved();
      // Does not send a question: without an instance it gets no answer in time.
      if (isUnserved && !isWriting(command)) return 'nobody-listens';
      if (!(await this.#add({ command, session, request, payload, deadlineMs, isOnce: true }))) return 'backlog-full';
      // The stream holds the request until an instance serves it; only the page does not wait.
      return isUnserved ? 'nobody-listens' : undefined;
    });
  }

  /** Adds a request that wants no answer. Whether it was taken, as far as is known. */
  #addUnanswered(command: string, session: string, payload: string): Promise<boolean> {
    const request = this.#newRequest();
    return this.#add({ command, session, request, payload, deadlineMs: 0, isOnce: true }).catch(() => false);
  }

  #isUnserved(): boolean {
    if (this.#inbox.listeningMs <= HEARTBEAT_TTL_MS || this.#inbox.presence.hasStreaming()) return false;
    this.#inbox.emit('unserved');
    return true;
  }

  /** Whether there was room: in the stream, and in a Redis that has reached `maxmemory`. `isOnce`: whether it is sent
   *  this one time, whatever becomes of it. */
  #add({ command, session, request, payload, deadlineMs, isOnce }: NewRequest): Promise<boolean> {
    const fields = encodeEntry({
      command,
      session,
      request,
      payload: this.#seal ? this.#seal.close({ command, session, request }, payload) : payload,
      isSealed: this.#seal !== undefined,
      deadlineMs,
      isOnce,
    });
    const key = this.#keyOf(session);
    const most = isWriting(command) ? this.#mostPerStream : Math.ceil(this.#mostPerStream * ASKING_SHARE);
    const added = this.#lengths.isFarFromFull(key, most)
      ? this.#redis.command('XADD', key, '*', ...fields).then(isAdded, orFull)
      : addEntry.run(this.#redis, { requests: key }, { mostEntries: most }, { args: fields }).then(isAdded, orFull);
    this.#lengths.onAdded(key);
    return added;
  }
}

function isAdded(id: unknown): boolean {
  return id !== null;
}

/** A Redis that is full takes no request. */
function orFull(error: unknown): false {
  if ((error as Error).message.includes('OOM ')) return false;
  throw error;
}

/** Waits for a reply until `end`: a frozen Redis neither answers nor refuses. */
function replyBefore<Reply>(end: number, reply: Promise<Reply>): Promise<Reply> {
  return withDeadline(reply, Math.max(0, end - performance.now()), () => {
    throw new Error('Redis did not answer in time');
  });
}
