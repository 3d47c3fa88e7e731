import { EventEmitter } from 'node:events';
import { ConditionVariable } from '../../async/index.ts';
import { isWriting } from '../../protocol/index.ts';
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

const LEADING_VIEW = /^\s*\[\s*\[\s*"pageview"/;

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
  /** Whether questions go over channels wherever an instance is known that serves them there, whatever `routeOf` says.
   *  Default false. */
  readonly asksOverChannels?: boolean;
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
    return this.#requesterOf(command, session).publish(command, session, payload);
  }

  sendDurably(command: string, session: string, payload: string, deadlineMs: number): Promise<void> {
    return this.#streams.sendDurably(command, session, payload, deadlineMs);
  }

  isDurable(command: string): boolean {
    return this.#options.routeOf?.(command) === 'streams';
  }

  serves(command: string, session: string): boolean {
    return this.#inbox.presence.allServe(command, session, this.#wayOf(command, session));
  }

  joins(command: string, session: string): boolean {
    const way = this.#wayOf(command, session);
    // Over streams a view travels alone: it counts once, also where it is sent again.
    if (way === 'streams' && isWriting(command)) return false;
    return way === this.#wayOf('together', session);
  }

  peerOf(command: string, session: string): string {
    if (this.#wayOf(command, session) === 'streams') return PARTITION_PEERS[partitionOf(session)]!;
    return this.#inbox.presence.serving(session)?.id ?? '';
  }

  isGone(peer: string): boolean {
    if (peer === '' || peer.startsWith('partition ')) return false;
    return !this.#inbox.presence.present().some(({ id }) => id === peer);
  }

  async probe(command: string, session: string, deadlineMs: number): Promise<boolean> {
    // An empty list of candidates goes the whole way.
    const { answered } = await this.#requesterOf(command, session).request('surface', session, '[]', deadlineMs);
    return answered;
  }

  request(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    if (this.pending >= this.#options.maxPending) return Promise.resolve(NO_ANSWER.overloaded);
    this.#waiting += 1;
    const outcome = this.#request(command, session, payload, deadlineMs);
    void outcome.then(this.#onOutcome);
    return outcome;
  }

  async close(): Promise<void> {
    const requesters = Object.values(this.#requesters);
    await Promise.all([this.#inbox, ...requesters, this.#redis].map((part) => part.close()));
  }

  #request(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    const way = this.#wayOf(command, session);
    const sent = this.#requesters[way].request(command, session, payload, deadlineMs);
    return way === this.#routeOf(command)
      ? sent
      : this.#orOverStreams(sent, command, session, payload, performance.now() + deadlineMs);
  }

  // Anybody may publish heartbeats, and our user may not be allowed to publish: a question that found nobody on channels
  // takes the way that was chosen.
  async #orOverStreams(
    sent: Promise<Outcome>,
    command: string,
    session: string,
    payload: string,
    end: number,
  ): Promise<Outcome> {
    const outcome = await sent;
    if (outcome.answered || (outcome.reason !== 'nobody-listens' && outcome.reason !== 'disconnected')) return outcome;
    // A view in front may have counted already.
    if (command === 'together' && LEADING_VIEW.test(payload)) return outcome;
    if (command === 'together' && !this.#inbox.presence.allServe(command, session, 'streams')) return outcome;
    return this.#streams.request(command, session, payload, Math.max(1, end - performance.now()));
  }

  readonly #onOutcome = (): void => {
    this.#waiting -= 1;
  };

  #requesterOf(command: string, session: string): ClientTransport {
    return this.#requesters[this.#wayOf(command, session)];
  }

  #routeOf(command: string): Route {
    return this.#options.routeOf?.(command) ?? 'channels';
  }

  // The route that was chosen, but for questions that may take a shorter one.
  #wayOf(command: string, session: string): Route {
    const route = this.#routeOf(command);
    if (!this.#options.asksOverChannels || route === 'channels' || isWriting(command)) return route;
    return this.#inbox.presence.isServed(command, session) ? 'channels' : route;
  }
}
