import type { MessageListener } from '../redis-connection.ts';
import type { ResolvedAddress } from './address-resolver.ts';
import type { Driver } from './driver.ts';

/** The kinds of subscriptions: to channels, to patterns, or to channels of a Cluster's shard. */
export type SubscriptionKind = 'CHANNELS' | 'PATTERNS' | 'SHARDED';

/** Called when a link is ready or lost. */
export interface ServerLinkEvents {
  onReady(): void;
  onLost(error: Error): void;
}

/** Holds the socket of a connection to one server: sends commands, receives messages, reconnects. */
export interface ServerLink {
  readonly isReady: boolean;
  /** The server that it goes to now; undefined where only the options name it. */
  readonly address: ResolvedAddress | undefined;
  open(): void;
  /** Sends over the current driver; only while ready. */
  send<Reply>(by: (driver: Driver) => Promise<Reply>): Promise<Reply>;
  subscribe(kind: SubscriptionKind, channels: readonly string[], listener: MessageListener): Promise<void>;
  unsubscribePatterns(): Promise<void>;
  /** Stops reconnecting; resolves when every command that was sent has its reply. */
  drain(): Promise<void>;
  destroy(): void;
}

const SUBSCRIBE = { CHANNELS: 'subscribe', PATTERNS: 'pSubscribe', SHARDED: 'sSubscribe' } as const;

/** Subscribes over a driver, which renews the subscription when it reconnects. */
export function subscribeBy(
  driver: Driver,
  kind: SubscriptionKind,
  channels: readonly string[],
  listener: MessageListener,
): Promise<void> {
  return driver[SUBSCRIBE[kind]]([...channels], listener);
}
