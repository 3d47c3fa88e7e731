import { checkNamespace, DEFAULT_NAMESPACE } from '../protocol/index.ts';
import { checkOptions, type OptionForms } from '../protocol/internal/index.ts';
import { type ConnectionOptions, PARTITIONS } from '../redis/index.ts';
import type { ReplyMode } from '../transport/client/index.ts';
import type { TransportChoice } from './open-transport.ts';

/** How a client is made. */
export interface SessionClientOptions {
  /** Where Redis is. Left out only where `transport` is a service's `inline`; `notices.events` needs it there too. */
  readonly redis?: string | ConnectionOptions;
  /** Whether it has a connection of its own to send on. By default it shares one with the other clients and stores of this
   *  process that are made with equal options. Replies come over another one in any case. Default false. */
  readonly ownConnection?: boolean;
  /** The route of requests: `channels`, `streams` (questions over channels where an instance serves them there), `mixed`, a
   *  route per command (`{ pageview: 'streams' }`, all others over channels), or a service's `inline`. Default `channels`. A
   *  service must run with `--transport streams` or `both` for what goes over streams. */
  readonly transport?: TransportChoice;
  /** Over streams: the most requests that may wait in all streams together. Further requests are refused. Default
   *  100,000. */
  readonly maxBacklog?: number;
  /** The namespace's secret, at least 16 characters. Over streams payloads are sealed with it: requests sealed with another
   *  secret become dead letters. `notices.events` opens names with it. Default: payloads are in the clear, and there are no
   *  events. */
  readonly secret?: string;
  /** Over streams: how long `publish` tries to have a must-keep command taken, in milliseconds. Default 2,000. */
  readonly keepDeadlineMs?: number;
  /** The store: its data and channels. The same as the service's. Default `sw`. */
  readonly namespace?: string;
  /** How long a page may wait for us, in milliseconds. Default 100. */
  readonly deadlineMs?: number;
  /** `inbox` (default): one subscription carries all replies. `list`: the paper's BLPOP, on pooled connections. */
  readonly replies?: ReplyMode;
  /** Connections for `list` replies; in a Cluster to each master. Default 16. */
  readonly blockingConnections?: number;
  /** Over Redis: requests that wait at once; above it they degrade at once. Default 10,000. */
  readonly maxPending?: number;
}

/** The options of a client, checked, with their defaults. */
export type CheckedClientOptions = Required<Omit<SessionClientOptions, 'redis' | 'secret'>> & {
  readonly redis: SessionClientOptions['redis'] | undefined;
  readonly secret: string | undefined;
};

/** The longest that a request waits, in milliseconds. */
export const LONGEST_DEADLINE_MS = 60_000;
const SHORTEST_SECRET = 16;

const OPTIONS: OptionForms<SessionClientOptions> = {
  redis: 'string|object',
  ownConnection: 'boolean',
  transport: 'any',
  maxBacklog: 'any',
  secret: 'any',
  keepDeadlineMs: 'any',
  namespace: 'string',
  deadlineMs: 'any',
  replies: 'any',
  blockingConnections: 'any',
  maxPending: 'any',
};

/** Checks the options of a client.
 *  @throws RangeError for an unknown option, and for a value that cannot be used. */
export function checkClientOptions(options: SessionClientOptions): CheckedClientOptions {
  checkOptions('SessionClient', options, OPTIONS);
  const { namespace = DEFAULT_NAMESPACE, deadlineMs = 100, replies = 'inbox' } = options;
  const transport = options.transport ?? 'channels';
  const { blockingConnections = 16, maxPending = 10_000, maxBacklog = 100_000 } = options;
  const { keepDeadlineMs = 2_000, secret, redis, ownConnection = false } = options;
  checkDeadline('deadlineMs', deadlineMs);
  checkDeadline('keepDeadlineMs', keepDeadlineMs);
  checkCount('blockingConnections', blockingConnections);
  checkCount('maxPending', maxPending);
  checkCount('maxBacklog', maxBacklog, PARTITIONS);
  checkSecret(secret);
  if (replies !== 'inbox' && replies !== 'list') {
    throw new RangeError(`replies ${JSON.stringify(replies)} cannot be used: give "inbox" or "list".`);
  }
  checkNamespace(namespace);
  return {
    ...{ redis, ownConnection, transport, namespace, deadlineMs, keepDeadlineMs, secret },
    ...{ replies, blockingConnections, maxPending, maxBacklog },
  };
}

function checkDeadline(name: string, deadlineMs: number): void {
  if (typeof deadlineMs === 'number' && deadlineMs > 0 && deadlineMs <= LONGEST_DEADLINE_MS) return;
  throw new RangeError(`${name} ${shown(deadlineMs)} cannot be used: give more than 0 and at most 60,000.`);
}

function checkCount(name: string, count: number, least = 1): void {
  if (Number.isInteger(count) && count >= least) return;
  throw new RangeError(`${name} ${shown(count)} cannot be used: give a whole number from ${least}.`);
}

function checkSecret(secret: unknown): void {
  if (secret === undefined || (typeof secret === 'string' && secret.length >= SHORTEST_SECRET)) return;
  throw new RangeError(`The secret cannot be used: give the service's, at least ${SHORTEST_SECRET} characters.`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
