import { expect } from 'vitest';
import type { ReplyMode } from '../../src/transport/channels/channel-requester.ts';
import { RedisTransport } from '../../src/transport/client/redis-transport.ts';
import { InlineTransport } from '../../src/transport/inline/inline-transport.ts';
import type { SessionTransport } from '../../src/transport/transport.ts';
import type { Route } from '../../src/transport/transport-names.ts';
import { STAGE_SECRET, type TransportStage } from './transport-stage.ts';

/** A transport that was opened for a test. */
export interface OpenedTransport {
  readonly transport: SessionTransport;
  /** Waits until requests would be sent. */
  ready(): Promise<void>;
  readonly lateReplies: number;
  /** Requests that wait now. */
  readonly pending: number;
}

/** How a request that is sent to nobody ends:
 *  by PUBLISH     at once, because PUBLISH says that nobody heard it; in a Cluster as by heartbeats
 *  by heartbeats  after so long without any, by `nobody-listens`; before that at its deadline
 *  never          a service is always there */
export type Silence = 'by PUBLISH' | 'by heartbeats' | 'never';

/** A transport, and what of it is different by nature. */
export interface TransportUnderTest {
  readonly name: string;
  /** The routes that a service must serve. */
  readonly routes: readonly Route[];
  /** The commands with which it is tested, in turn. */
  readonly commands: readonly ('pageview' | 'surface')[];
  readonly silence: Silence;
  /** Whether what is taken while nobody is there is done later. */
  readonly isDurable: boolean;
  /** Whether messages cross Redis, which may be away. */
  readonly crossesRedis: boolean;
  /** Opens one to the servers of a stage, or to others, which need not be there. `maxPending`: requests that may wait at
   *  once. */
  open(stage: TransportStage, options?: { url?: string; maxPending?: number }): OpenedTransport;
}

/** Connections for list replies. */
export const LANES = 4;

/** Opens a transport over Redis. */
export function openRedisTransport(
  url: string,
  {
    namespace = 'sw',
    replies = 'inbox',
    routeOf = () => 'channels',
    maxPending = 10_000,
    lanes = LANES,
    maxBacklog = 200_000,
  }: {
    namespace?: string;
    replies?: ReplyMode;
    routeOf?: (command: string) => Route;
    maxPending?: number;
    lanes?: number;
    maxBacklog?: number;
  } = {},
): OpenedTransport & { requester: RedisTransport } {
  const requester = new RedisTransport({
    redis: url,
    namespace,
    replies,
    routeOf,
    maxPending,
    maxBacklog,
    secret: STAGE_SECRET,
    blockingConnections: lanes,
  });
  return {
    requester,
    transport: requester,
    async ready() {
      expect(await requester.ready(10_000)).toBe(true);
    },
    get lateReplies() {
      return requester.lateReplies;
    },
    get pending() {
      return requester.pending;
    },
  };
}

export const CHANNELS_INBOX: TransportUnderTest = {
  name: 'channels, inbox replies',
  routes: ['channels'],
  commands: ['pageview'],
  silence: 'by PUBLISH',
  isDurable: false,
  crossesRedis: true,
  open: ({ url, namespace }, options) => openRedisTransport(options?.url ?? url, { namespace, ...options }),
};

export const CHANNELS_LIST: TransportUnderTest = {
  ...CHANNELS_INBOX,
  name: 'channels, list replies',
  open: ({ url, namespace }, options) =>
    openRedisTransport(options?.url ?? url, { namespace, ...options, replies: 'list' }),
};

export const STREAMS: TransportUnderTest = {
  name: 'streams',
  routes: ['streams'],
  commands: ['pageview'],
  silence: 'by heartbeats',
  isDurable: true,
  crossesRedis: true,
  open: ({ url, namespace }, options) =>
    openRedisTransport(options?.url ?? url, { namespace, ...options, routeOf: () => 'streams' }),
};

// What is published and what nobody hears is tested with the first command, which goes over streams here.
export const MIXED: TransportUnderTest = {
  ...STREAMS,
  name: 'mixed',
  routes: ['channels', 'streams'],
  commands: ['pageview', 'surface'],
  open: ({ url, namespace }, options) =>
    openRedisTransport(options?.url ?? url, {
      namespace,
      ...options,
      routeOf: (command) => (command === 'pageview' ? 'streams' : 'channels'),
    }),
};

export const INLINE: TransportUnderTest = {
  name: 'inline',
  routes: [],
  commands: ['pageview'],
  silence: 'never',
  isDurable: true,
  crossesRedis: false,
  open: ({ answer }) => {
    const transport = new InlineTransport(answer, () => true);
    return {
      transport,
      async ready() {
        expect(await transport.ready(1_000)).toBe(true);
      },
      get lateReplies() {
        return transport.lateReplies;
      },
      get pending() {
        return transport.pending;
      },
    };
  },
};

/** All transports. Suites and the test that no route is forgotten go through this list. */
export const ALL_TRANSPORTS: readonly TransportUnderTest[] = [CHANNELS_INBOX, CHANNELS_LIST, STREAMS, MIXED, INLINE];
