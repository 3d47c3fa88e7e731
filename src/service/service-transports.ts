import type { SessionGlob } from '../protocol/index.ts';
import type { RedisConnection } from '../redis/index.ts';
import type { Dispatch, Instance, Route } from '../transport/index.ts';
import { Admission, ChannelReceiver, type ServiceTransport, StreamReceiver } from '../transport/service/index.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Namespace } from './open-namespace.ts';
import { channelEvents, streamEvents } from './transport-events.ts';

/** Parts that the transports of an instance need. */
export interface ServiceTransportOptions {
  readonly self: Instance & { readonly glob: SessionGlob };
  readonly namespace: Namespace;
  /** Carries subscriptions. */
  readonly subscriber: RedisConnection;
  readonly dispatch: Dispatch;
  /** Ids of the other instances among which partitions are shared out. */
  readonly streamingOthers: () => readonly string[];
  /** Whether anything may be served now. */
  readonly enabled: () => boolean;
  /** Requests in hand at once. Undefined: the transport's default. */
  readonly maxInFlight: number | undefined;
  readonly metrics: Metrics;
  readonly log: Log;
}

type Open = (options: ServiceTransportOptions, admission: Admission) => ServiceTransport;

const OPEN: { readonly [Name in Route]: Open } = {
  channels: ({ self, namespace, subscriber, dispatch, maxInFlight, metrics }, admission) =>
    new ChannelReceiver(subscriber, namespace.redis, {
      namespace: namespace.keys.namespace,
      glob: self.glob,
      commands: self.commands,
      dispatch,
      admission,
      ...(maxInFlight !== undefined && { maxInFlight }),
      events: channelEvents(metrics),
    }),
  streams: ({ self, namespace, subscriber, dispatch, streamingOthers, enabled, metrics, log }, admission) =>
    new StreamReceiver({
      redis: namespace.redis,
      subscriber,
      keys: namespace.keys,
      dispatch,
      admission,
      seal: namespace.seal,
      now: namespace.now,
      hasPassed: namespace.hasPassed,
      instance: self.id,
      others: streamingOthers,
      enabled,
      events: streamEvents(metrics, log),
    }),
};

/** All transports of an instance, as one. They share one admission. */
export class ServiceTransports implements ServiceTransport {
  readonly #transports: readonly ServiceTransport[];

  constructor(routes: readonly Route[], options: ServiceTransportOptions) {
    const admission = new Admission(options.namespace.roundTripMs);
    this.#transports = routes.map((route) => OPEN[route](options, admission));
  }

  get inFlight(): number {
    return this.#sum(({ inFlight }) => inFlight);
  }

  get backlog(): number {
    return this.#sum(({ backlog }) => backlog);
  }

  get ownedPartitions(): number {
    return this.#sum(({ ownedPartitions }) => ownedPartitions);
  }

  get trouble(): string | undefined {
    return this.#transports.find(({ trouble }) => trouble !== undefined)?.trouble;
  }

  async start(): Promise<void> {
    for (const transport of this.#transports) await transport.start();
  }

  async stop(deadlineMs: number): Promise<boolean> {
    const finished = await Promise.all(this.#transports.map((transport) => transport.stop(deadlineMs)));
    return finished.every(Boolean);
  }

  #sum(of: (transport: ServiceTransport) => number): number {
    return this.#transports.reduce((sum, transport) => sum + of(transport), 0);
  }
}
