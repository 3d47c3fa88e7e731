import { HEARTBEAT_TTL_MS, isWriting, replyKey, topicChannel } from '../../protocol/index.ts';
import type { RedisConnection } from '../../redis/index.ts';
import { PendingRequests } from '../client/pending-requests.ts';
import type { ReplyInbox } from '../client/reply-inbox.ts';
import { type ClientTransport, NO_ANSWER, type Outcome } from '../transport.ts';
import { BlockingPools } from './blocking-pools.ts';

/* channel-requester.ts: the serving layer's side of the channels.
 *
 * inbox  one subscription per process carries all replies (`ReplyInbox`). Default.
 * list   the paper's: each waiting request holds a pooled connection with BLPOP. A list reply waits for us, but only
 *        REPLY_TTL_MS, so publishing before waiting is safe. */

/** How replies come back. */
export type ReplyMode = 'inbox' | 'list';

export interface ChannelRequesterOptions {
  readonly namespace: string;
  readonly replies: ReplyMode;
  /** Connections for `list` replies; in a Cluster to each master. */
  readonly blockingConnections: number;
}

/** Sends requests over pub/sub and waits for their replies. It borrows its connections and closes only the pool. */
export class ChannelRequester implements ClientTransport {
  readonly #publisher: RedisConnection;
  readonly #inbox: ReplyInbox;
  readonly #options: ChannelRequesterOptions;
  readonly #pools: BlockingPools;
  readonly #lists = new PendingRequests();
  #lateReplies = 0;

  constructor(publisher: RedisConnection, inbox: ReplyInbox, options: ChannelRequesterOptions) {
    this.#publisher = publisher;
    this.#inbox = inbox;
    this.#options = options;
    this.#pools = new BlockingPools(publisher, options.blockingConnections);
  }

  /** List replies that came after their deadline. */
  get lateReplies(): number {
    return this.#lateReplies;
  }

  /** Connections held for `list` replies. */
  get blockingConnections(): number {
    return this.#pools.size;
  }

  async publish(command: string, session: string, payload: string): Promise<boolean> {
    try {
      const receivers = await this.#send(command, session, `_${this.#inbox.nextNumber()}`, payload);
      return !this.#isUnheard(receivers, command, session);
    } catch {
      return false;
    }
  }

  request(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    if (this.#options.replies === 'list') return this.#requestList(command, session, payload, deadlineMs);
    const inbox = this.#inbox;
    if (!inbox.canReceive) {
      // Sends a view all the same: it counts without an answer.
      if (isWriting(command)) void this.publish(command, session, payload);
      return Promise.resolve(NO_ANSWER.disconnected);
    }
    const number = inbox.nextNumber();
    const outcome = inbox.await(number, deadlineMs);
    this.#send(command, session, `${inbox.id}.${number}`, payload).then(
      (receivers) => {
        if (this.#isUnheard(receivers, command, session)) inbox.giveUp(number, 'nobody-listens');
        else inbox.noteTaken(number);
      },
      () => inbox.giveUp(number, 'disconnected'),
    );
    return outcome;
  }

  close(): Promise<void> {
    this.#lists.settleAll(NO_ANSWER.disconnected);
    return this.#pools.close();
  }

  async #requestList(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    const end = performance.now() + deadlineMs;
    const number = this.#inbox.nextNumber();
    const request = `${this.#inbox.id}-${number}`;
    const key = replyKey(this.#options.namespace, { command, session, request });
    const pool = this.#publisher.isReadyFor(key) ? this.#pools.poolFor(key) : undefined;
    const lane = await pool?.acquire(deadlineMs);
    if (!pool || !lane) {
      // Sends a view all the same: it counts without an answer.
      if (isWriting(command)) void this.publish(command, session, payload);
      return pool && this.#publisher.isReadyFor(key) ? NO_ANSWER.deadline : NO_ANSWER.disconnected;
    }
    const leftMs = Math.max(0, end - performance.now());
    const outcome = this.#lists.add(number, leftMs);
    this.#send(command, session, request, payload).then(
      (receivers) => {
        if (this.#isUnheard(receivers, command, session)) this.#lists.settle(number, NO_ANSWER['nobody-listens']);
        else this.#lists.noteTaken(number);
      },
      () => this.#lists.settle(number, NO_ANSWER.disconnected),
    );
    const wait = pool.wait(lane, key, leftMs);
    void wait.element.then((json) => {
      const reply: Outcome = json === undefined ? NO_ANSWER.disconnected : { answered: true, json };
      if (!this.#lists.settle(number, reply) && reply.answered) this.#lateReplies += 1;
    });
    const settled = await outcome;
    if (!settled.answered) wait.cancel();
    return settled;
  }

  #send(command: string, session: string, request: string, payload: string): Promise<number> {
    const channel = topicChannel(this.#options.namespace, command, session, request);
    return this.#publisher.command<number>('PUBLISH', channel, payload);
  }

  // PUBLISH counts the subscribers that got the message. Where it does not count all of them, missing heartbeats show that
  // no instance subscribes.
  #isUnheard(receivers: number, command: string, session: string): boolean {
    if (receivers > 0) return false;
    if (!this.#publisher.countsAllSubscribers) {
      const { presence, listeningMs } = this.#inbox;
      if (listeningMs <= HEARTBEAT_TTL_MS || presence.hasSubscriber(command, session)) return false;
    }
    this.#inbox.emit('unserved');
    return true;
  }
}
