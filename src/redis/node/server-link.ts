import type { MessageListener } from '../redis-connection.ts';
import type { ResolvedAddress } from './address-resolver.ts';
import type { Driver } from './driver.ts';

/** What is subscribed to: channels, patterns, or channels of a Cluster's shard. */
export type SubscriptionKind = 'CHANNELS' | 'PATTERNS' | 'SHARDED';

/** Told of a link's ups and downs. */
export interface ServerLinkEvents {
  onReady(): void;
  onLost(error: Error): void;
}

/** The wire of a connection to one server: what sends, hears and connects again. */
export interface ServerLink {
  readonly isReady: boolean;
  /** The server that it goes to now, where somebody else than the options says it. */
  readonly address: ResolvedAddress | undefined;
  open(): void;
  /** Sends by what is the driver now; only while ready. */
  send<Reply>(by: (driver: Driver) => Promise<Reply>): Promise<Reply>;
  subscribe(kind: SubscriptionKind, channels: readonly string[], listener: MessageListener): Promise<void>;
  unsubscribePatterns(): Promise<void>;
  /** Connects no more; resolves when all that was sent has been answered. */
  drain(): Promise<void>;
  destroy(): void;
}

const SUBSCRIBE = { CHANNELS: 'subscribe', PATTERNS: 'pSubscribe', SHARDED: 'sSubscribe' } as const;

/** Subscribes by a driver, which makes the subscription again when it connects again. */
export function subscribeBy(
  driver: Driver,
  kind: SubscriptionKind,
  channels: readonly string[],
  listener: MessageListener,
): Promise<void> {
  return driver[SUBSCRIBE[kind]]([...channels], listener);
}
