import { EventEmitter } from 'node:events';
import { ConditionVariable } from '../../async/index.ts';
import {
  type ConnectionOptions,
  createConnection,
  PARTITIONS,
  partitionOf,
  type RedisConnection,
  shareConnection,
} from '../../redis/index.ts';
import { ChannelRequester, type ReplyMode } from '../channels/channel-requester.ts';
import { StreamRequester, type StreamRequesterOptions } from '../streams/stream-requester.ts';
import {
  type ClientTransport,
  NO_ANSWER,
  type Outcome,
  type SessionTransport,
  type TransportEvents,
} from '../transport.ts';
import type { Route } from '../transport-names.ts';
import { ReplyInbox } from './reply-inbox.ts';

const PARTITION_PEERS: readonly string[] = Array.from(
  { length: PARTITIONS },
  (_, partition) => `partition ${partition}`,
);

export interface RedisTransportOptions extends Omit<StreamRequesterOptions, 'namespace'> {
  readonly redis: string | ConnectionOptions;
  /** Whether to share no connection with other parts of this process. Default false. */
  readonly ownConnection?: boolean;
  readonly namespace: string;
  readonly replies: ReplyMode;
  /** Connections for `list` replies; in a Cluster to each master. */
  readonly blockingConnections: number;
  /** Requests that wait at once; above it they are answered `overloaded`. */
  readonly maxPending: number;
  /** The route of a command. Default: channels. */
  readonly routeOf?: (command: string) => Route;
}

/** The serving layer's transports over Redis: one connection to send, one inbox, and per command channels or streams. */
export class RedisTransport extends EventEmitter<TransportEvents> implements SessionTransport {
  readonly #options: RedisTransportOptions;
  readonly #redis: RedisConnection;
  readonly #inbox: ReplyInbox;
  readonly #channels: ChannelRequester;
  readonly #streams: StreamRequester;
  readonly #requesters: { readonly [Name in Route]: ClientTransport };
  readonly #readiness = new ConditionVariable();
  #waiting = 0;

  /** Begins to connect; never throws because Redis is away.
   *  @throws ConnectionOptionsError or RangeError for unusable options. */
  constructor(options: RedisTransportOptions) {
    super();
    this.#options = options;
    this.#redis = (options.ownConnection ? createConnection : shareConnection)(options.redis, 'sessionwise-client');
    this.#inbox = new ReplyInbox(this.#redis, options.namespace);
    this.#channels = new ChannelRequester(this.#redis, this.#inbox, options);
    this.#streams = new StreamRequester(this.#redis, this.#inbox, options);
    this.#requesters = { channels: this.#channels, streams: this.#streams };
    this.#redis.on('ready', () => this.emit('up'));
    this.#redis.on('reachable', () => this.#readiness.notifyAll());
    this.#inbox.on('reachable', () => this.#readiness.notifyAll());
    this.#redis.on('lost', (error) => this.emit('down', error));
    this.#inbox.on('refused', (error) => this.emit('down', error));
    this.#inbox.on('unserved', () => this.emit('unserved'));
    this.#inbox.on('overlap', (overlap) => this.emit('overlap', overlap));
    this.#redis.open();
  }

  get lateReplies(): number {
    return this.#inbox.lateReplies + this.#channels.lateReplies;
  }

  /** Requests that wait now. */
  get pending(): number {
    return this.#waiting;
  }

  /** Connections held for `list` replies. */
  get blockingConnections(): number {
    return this.#channels.blockingConnections;
  }

  /** Whether requests would be sent now, and their replies received. */
  get isReady(): boolean {
    return this.#redis.isReady && this.#inbox.isReady;
  }

  ready(deadlineMs: number): Promise<boolean> {
    return this.#readiness.waitFor(() => this.isReady, deadlineMs);
  }

  publish(command: string, session: string, payload: string): Promise<boolean> {
    return this.#transportOf(command).publish(command, session, payload);
  }

  sendDurably(command: string, session: string, payload: string, deadlineMs: number): Promise<void> {
    return this.#streams.sendDurably(command, session, payload, deadlineMs);
  }

  isDurable(command: string): boolean {
    return this.#options.routeOf?.(command) === 'streams';
  }

  peerOf(command: string, session: string): string {
    if (this.isDurable(command)) return PARTITION_PEERS[partitionOf(session)]!;
    return this.#inbox.presence.serving(session)?.id ?? '';
  }

  isGone(peer: string): boolean {
    if (peer === '' || peer.startsWith('partition ')) return false;
    return !this.#inbox.presence.present().some(({ id }) => id === peer);
  }

  async probe(command: string, session: string, deadlineMs: number): Promise<boolean> {
    // An empty list of candidates goes the whole way.
    const { answered } = await this.#transportOf(command).request('surface', session, '[]', deadlineMs);
    return answered;
  }

  request(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    if (this.#waiting >= this.#options.maxPending) return Promise.resolve(NO_ANSWER.overloaded);
    this.#waiting += 1;
    const outcome = this.#transportOf(command).request(command, session, payload, deadlineMs);
    void outcome.then(this.#onOutcome);
    return outcome;
  }

  async close(): Promise<void> {
    const requesters = Object.values(this.#requesters);
    await Promise.all([this.#inbox, ...requesters, this.#redis].map((part) => part.close()));
  }

  readonly #onOutcome = (): void => {
    this.#waiting -= 1;
  };

  #transportOf(command: string): ClientTransport {
    return this.#requesters[this.#options.routeOf?.(command) ?? 'channels'];
  }
}
