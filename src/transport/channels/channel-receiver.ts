import { withDeadline } from '../../async/index.ts';
import {
  encodeErrorReply,
  ProtocolError,
  parseRequestId,
  parseTopic,
  type ReplyRoute,
  type SessionGlob,
  type Topic,
  topicPattern,
} from '../../protocol/index.ts';
import type { RedisConnection } from '../../redis/index.ts';
import { type Admission, partsAtMost } from '../service/admission.ts';
import { ReplySender } from '../service/reply-sender.ts';
import type { ReplyEvents, ServiceTransport } from '../service/service-transport.ts';
import type { Release } from '../service/weighted-semaphore.ts';
import type { Dispatch } from '../transport.ts';

/** Why a message was counted and not served. */
export type RefusalReason =
  /** Not `ss:<command>:<session>:<request>`, or a character that must not reach a key. */
  | 'malformed-topic'
  /** The request id is of no known form. */
  | 'malformed-request'
  /** Redis's glob matched, but the session is another instance's. */
  | 'foreign-session'
  /** More requests in hand than `maxInFlight`. */
  | 'overload';

/** Events of a receiver. */
export interface ReceiverEvents extends ReplyEvents {
  /** A message was not served. */
  refused(reason: RefusalReason): void;
}

export interface ChannelReceiverOptions {
  readonly namespace: string;
  readonly glob: SessionGlob;
  /** Names to subscribe to, aliases included. */
  readonly commands: readonly string[];
  readonly dispatch: Dispatch;
  /** One for all transports of the process. */
  readonly admission: Admission;
  readonly events: ReceiverEvents;
  /** Requests in hand at once; above it a request is answered `unavailable` at once. Default 10,000. */
  readonly maxInFlight?: number;
}

/** The service's side of the channels: subscribes to requests by pattern and replies as the request's id asks. */
export class ChannelReceiver implements ServiceTransport {
  // Messages on channels do not wait in Redis.
  readonly backlog: number = 0;
  readonly ownedPartitions: number = 0;
  readonly trouble: string | undefined = undefined;
  readonly #subscriber: RedisConnection;
  readonly #options: ChannelReceiverOptions;
  readonly #replies: ReplySender;
  #inFlight = 0;
  #idle: (() => void) | undefined;

  /** `subscriber` carries the subscriptions, `redis` the replies. */
  constructor(subscriber: RedisConnection, redis: RedisConnection, options: ChannelReceiverOptions) {
    this.#subscriber = subscriber;
    this.#options = options;
    this.#replies = new ReplySender(redis, options.namespace, options.events.unclaimed);
  }

  /** Requests in hand. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Subscribes, per command. */
  async start(): Promise<void> {
    const { namespace, glob, commands } = this.#options;
    const patterns = commands.map((command) => topicPattern(namespace, command, glob.text));
    await this.#subscriber.subscribePatterns(patterns, (message, channel) => this.#receive(message, channel));
  }

  /** Unsubscribes and waits for the requests in hand, at most `deadlineMs`. Whether all of them were finished. */
  async stop(deadlineMs: number): Promise<boolean> {
    // A Redis that has frozen does not answer the end of a subscription.
    await withDeadline(this.#drain(), deadlineMs, () => undefined);
    this.#replies.stop();
    return this.#inFlight === 0;
  }

  async #drain(): Promise<void> {
    if (this.#subscriber.isReady) await this.#subscriber.unsubscribePatterns().catch(() => undefined);
    if (this.#inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #receive(message: string, channel: string): void {
    const { namespace, glob, events, maxInFlight = 10_000 } = this.#options;
    const topic = parseTopic(namespace, channel);
    const route = topic && parseRequestId(topic.request);
    if (!topic) events.refused('malformed-topic');
    else if (!glob.matches(topic.session)) events.refused('foreign-session');
    else if (!route) events.refused('malformed-request');
    else if (this.#inFlight < maxInFlight) this.#serve(topic, route, topic.payload ?? message);
    else {
      events.refused('overload');
      const busy = new ProtocolError('unavailable', `The service has ${maxInFlight} requests in hand: try later.`);
      this.#replies.send(topic, route, encodeErrorReply(busy)).catch(events.replyFailed);
    }
  }

  // No async function: each frame that waits costs a process that serves thousands at once.
  #serve(topic: Topic, route: ReplyRoute, payload: string): void {
    this.#inFlight += 1;
    const parts = topic.command === 'together' ? partsAtMost(payload) : 1;
    const entered = this.#options.admission.enter(topic.command, payload.length, parts);
    if (entered instanceof Promise) void entered.then((leave) => this.#answer(topic, route, payload, leave));
    else this.#answer(topic, route, payload, entered);
  }

  #answer(topic: Topic, route: ReplyRoute, payload: string, leave: Release): void {
    const done = (): void => {
      leave();
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#idle?.();
    };
    this.#options
      .dispatch(topic.command, topic.session, payload)
      .then(({ json }) => this.#replies.send(topic, route, json))
      .then(done, (error: unknown) => {
        this.#options.events.replyFailed(error);
        done();
      });
  }
}
