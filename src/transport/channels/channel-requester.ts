import { HEARTBEAT_TTL_MS, isWriting, replyKey, topicChannel } from '../../protocol/index.ts';
import type { RedisConnection } from '../../redis/index.ts';
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
      return (await this.#send(command, session, `_${this.#inbox.nextNumber()}`, payload)) !== 'nobody-listens';
    } catch {
      return false;
    }
  }

  request(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    if (this.#options.replies === 'list') return this.#requestList(command, session, payload, deadlineMs);
    const publish = isWriting(command) ? () => this.publish(command, session, payload) : undefined;
    return this.#inbox.exchange(deadlineMs, publish, (request) => this.#send(command, session, request, payload));
  }

  close(): Promise<void> {
    return this.#pools.close();
  }

  async #requestList(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    const end = performance.now() + deadlineMs;
    const request = `${this.#inbox.id}-${this.#inbox.nextNumber()}`;
    const key = replyKey(this.#options.namespace, { command, session, request });
    const pool = this.#publisher.isReadyFor(key) ? this.#pools.poolFor(key) : undefined;
    const lane = await pool?.acquire(deadlineMs);
    if (!pool || !lane) {
      // Sends a view all the same: it counts without an answer.
      if (isWriting(command)) void this.publish(command, session, payload);
      return pool && this.#publisher.isReadyFor(key) ? NO_ANSWER.deadline : NO_ANSWER.disconnected;
    }
    const leftMs = Math.max(0, end - performance.now());
    const sent = this.#send(command, session, request, payload);
    const wait = pool.wait(lane, key, leftMs);
    return new Promise((resolve) => {
      let settled = false;
      const settle = (outcome: Outcome): void => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        resolve(outcome);
      };
      const cancel = (outcome: Outcome): void => {
        settle(outcome);
        wait.cancel();
      };
      const timer = setTimeout(cancel, leftMs, NO_ANSWER.deadline);
      sent.then(
        (reason) => reason && cancel(NO_ANSWER[reason]),
        () => cancel(NO_ANSWER.disconnected),
      );
      void wait.element.then((json) => {
        if (settled && json !== undefined) this.#lateReplies += 1;
        settle(json === undefined ? NO_ANSWER.disconnected : { answered: true, json });
      });
    });
  }

  // PUBLISH counts the subscribers that got the message. Where it does not count all of them, missing heartbeats show that
  // no instance subscribes.
  #send(command: string, session: string, request: string, payload: string): Promise<'nobody-listens' | undefined> {
    const channel = topicChannel(this.#options.namespace, command, session, request);
    return this.#publisher.command<number>('PUBLISH', channel, payload).then((receivers) => {
      if (receivers > 0) return undefined;
      if (!this.#publisher.countsAllSubscribers) {
        const { presence, listeningMs } = this.#inbox;
        if (listeningMs <= HEARTBEAT_TTL_MS || presence.hasSubscriber(command, session)) return undefined;
      }
      this.#inbox.emit('unserved');
      return 'nobody-listens';
    });
  }
}
