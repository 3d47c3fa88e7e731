import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { heartbeatChannel, inboxChannel, parseInboxMessage, replyKey, topicChannel } from '../../protocol/index.ts';
import type { ConnectionOptions } from '../../redis/index.ts';
import { createConnection, type RedisConnection } from '../../redis/index.ts';
import type { ClientTransport, NoAnswerReason, Outcome } from '../transport.ts';
import { BlockingPool } from './blocking-pool.ts';
import { type Overlap, Presence } from './presence.ts';

/* channel-requester.ts: the serving layer's side of the channels.
 *
 * inbox  one subscription per process carries all replies, `<n> <json>`. Default.
 * list   the paper's: each waiting request holds a pooled connection with BLPOP.
 *
 * Publishing before waiting is safe: a list reply waits for us, but only REPLY_TTL_MS; an inbox is subscribed before
 * the first request. A late reply finds no pending request and is counted. */

/** How replies come back. */
export type ReplyMode = 'inbox' | 'list';

export interface ChannelRequesterOptions {
  readonly redis: string | ConnectionOptions;
  readonly namespace: string;
  readonly replies: ReplyMode;
  /** Connections for `list` replies. */
  readonly blockingConnections: number;
  /** Requests that wait at once; above it they are answered `overloaded`. */
  readonly maxPending: number;
}

interface RequesterEvents {
  up: [];
  down: [Error];
  overlap: [Overlap];
}

const NO_ANSWER: Readonly<Record<NoAnswerReason, Outcome>> = {
  deadline: { answered: false, reason: 'deadline' },
  'nobody-listens': { answered: false, reason: 'nobody-listens' },
  disconnected: { answered: false, reason: 'disconnected' },
  overloaded: { answered: false, reason: 'overloaded' },
};

/** Sends requests over pub/sub and waits for their replies. */
export class ChannelRequester extends EventEmitter<RequesterEvents> implements ClientTransport {
  readonly presence: Presence = new Presence();
  readonly #options: ChannelRequesterOptions;
  readonly #publisher: RedisConnection;
  readonly #subscriber: RedisConnection;
  readonly #pool: BlockingPool;
  readonly #inbox = randomBytes(12).toString('base64url').replace(/^_/, '-');
  readonly #pending = new Map<number, (outcome: Outcome) => void>();
  #waiting = 0;
  #lastNumber = 0;
  #lateReplies = 0;
  #subscribed = false;

  /** Begins to connect; never throws because Redis is away.
   *  @throws ConnectionOptionsError for an address that cannot be right. */
  constructor(options: ChannelRequesterOptions) {
    super();
    this.#options = options;
    this.#publisher = createConnection(options.redis, 'sessionwise-client');
    this.#subscriber = this.#publisher.duplicate('sessionwise-inbox');
    this.#pool = new BlockingPool(this.#publisher, options.blockingConnections);
    this.#publisher.on('ready', () => this.emit('up'));
    this.#publisher.on('lost', (error) => this.emit('down', error));
    this.#subscriber.on('lost', () => {});
    // The driver subscribes again by itself after a reconnect; only the first time is ours.
    this.#subscriber.once('ready', () => void this.#subscribe());
    this.#publisher.open();
    this.#subscriber.open();
  }

  /** Replies that came after their deadline, and were ignored. */
  get lateReplies(): number {
    return this.#lateReplies;
  }

  /** Requests that wait now. */
  get pending(): number {
    return this.#waiting;
  }

  /** Connections held for `list` replies. */
  get blockingConnections(): number {
    return this.#pool.size;
  }

  /** Whether requests would be sent now. */
  get isReady(): boolean {
    return this.#publisher.isReady && this.#subscribed && this.#subscriber.isReady;
  }

  /** Waits until requests would be sent, at most `deadlineMs`. Whether they would. */
  async ready(deadlineMs: number): Promise<boolean> {
    const end = performance.now() + deadlineMs;
    while (!this.isReady && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
    return this.isReady;
  }

  async publish(command: string, session: string, payload: string): Promise<boolean> {
    if (!this.#publisher.isReady) return false;
    const number = this.#nextNumber();
    try {
      return (await this.#send(command, session, `_${number}`, payload)) > 0;
    } catch {
      return false;
    }
  }

  async request(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    if (this.#waiting >= this.#options.maxPending) return NO_ANSWER.overloaded;
    this.#waiting += 1;
    try {
      return this.#options.replies === 'inbox'
        ? await this.#requestInbox(command, session, payload, deadlineMs)
        : await this.#requestList(command, session, payload, deadlineMs);
    } finally {
      this.#waiting -= 1;
    }
  }

  async close(): Promise<void> {
    for (const settle of this.#pending.values()) settle(NO_ANSWER.disconnected);
    await Promise.all([this.#publisher.close(), this.#subscriber.close(), this.#pool.close()]);
  }

  #requestInbox(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    if (!this.isReady) return Promise.resolve(NO_ANSWER.disconnected);
    return new Promise((resolve) => {
      const number = this.#nextNumber();
      const settle = (outcome: Outcome): void => {
        clearTimeout(timer);
        this.#pending.delete(number);
        resolve(outcome);
      };
      const timer = setTimeout(settle, deadlineMs, NO_ANSWER.deadline);
      this.#pending.set(number, settle);
      this.#send(command, session, `${this.#inbox}.${number}`, payload).then(
        (heard) => heard === 0 && settle(NO_ANSWER['nobody-listens']),
        () => settle(NO_ANSWER.disconnected),
      );
    });
  }

  async #requestList(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    if (!this.#publisher.isReady) return NO_ANSWER.disconnected;
    const end = performance.now() + deadlineMs;
    const lane = await this.#pool.acquire(deadlineMs);
    if (!lane) return this.#publisher.isReady ? NO_ANSWER.deadline : NO_ANSWER.disconnected;
    const leftMs = Math.max(0, end - performance.now());
    const request = `${this.#inbox}-${this.#nextNumber()}`;
    const sent = this.#send(command, session, request, payload);
    const wait = this.#pool.wait(lane, replyKey(this.#options.namespace, { command, session, request }), leftMs);
    return new Promise((resolve) => {
      let settled = false;
      const settle = (outcome: Outcome): void => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        resolve(outcome);
      };
      const giveUp = (outcome: Outcome): void => {
        settle(outcome);
        wait.giveUp();
      };
      const timer = setTimeout(giveUp, leftMs, NO_ANSWER.deadline);
      sent.then(
        (heard) => heard === 0 && giveUp(NO_ANSWER['nobody-listens']),
        () => giveUp(NO_ANSWER.disconnected),
      );
      void wait.element.then((json) => {
        if (settled && json !== undefined) this.#lateReplies += 1;
        settle(json === undefined ? NO_ANSWER.disconnected : { answered: true, json });
      });
    });
  }

  #send(command: string, session: string, request: string, payload: string): Promise<number> {
    const channel = topicChannel(this.#options.namespace, command, session, request);
    return this.#publisher.command<number>('PUBLISH', channel, payload);
  }

  async #subscribe(): Promise<void> {
    const { namespace } = this.#options;
    try {
      await this.#subscriber.subscribe(heartbeatChannel(namespace), (message) => this.#hearHeartbeat(message));
      await this.#subscriber.subscribe(inboxChannel(namespace, this.#inbox), (message) => this.#hearReply(message));
      this.#subscribed = true;
    } catch {
      // The connection was lost in between: the next one tries again.
      this.#subscriber.once('ready', () => void this.#subscribe());
    }
  }

  #hearHeartbeat(message: string): void {
    const arrived = this.presence.hear(message);
    if (arrived) for (const overlap of this.presence.overlapping(arrived)) this.emit('overlap', overlap);
  }

  #hearReply(message: string): void {
    const reply = parseInboxMessage(message);
    const settle = reply && this.#pending.get(reply.number);
    if (settle) settle({ answered: true, json: reply.json });
    else this.#lateReplies += 1;
  }

  #nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }
}
