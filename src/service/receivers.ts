import { decodeFreedPartitions, encodeFreedPartitions, heartbeatChannel, type SessionGlob } from '../protocol/index.ts';
import type { Keys, RedisConnection } from '../redis/index.ts';
import { Admission } from '../transport/admission.ts';
import { ChannelReceiver } from '../transport/channels/channel-receiver.ts';
import type { Instance } from '../transport/presence.ts';
import { Replies } from '../transport/replies.ts';
import type { PayloadSeal } from '../transport/streams/payload-seal.ts';
import { StreamReceiver } from '../transport/streams/stream-receiver.ts';
import type { Dispatch } from '../transport/transport.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** All the ways on which a service hears requests from other processes. */
export interface Receivers {
  /** Requests in hand. */
  readonly inFlight: number;
  readonly ownedPartitions: number;
  /** Requests that wait in the owned partitions. */
  readonly backlog: number;
  start(): Promise<void>;
  /** Takes nothing more and waits for what is in hand, at most `deadlineMs`. Whether all of it was finished. */
  stop(deadlineMs: number): Promise<boolean>;
}

const LOG_INTERVAL_MS = 1_000;
const FAILING_LOG_INTERVAL_MS = 60_000;

/** Makes the receivers that an instance's heartbeat promises. */
export function openReceivers(
  self: Instance & { readonly glob: SessionGlob },
  shared: {
    readonly redis: RedisConnection;
    readonly subscriber: RedisConnection;
    readonly keys: Keys;
    readonly dispatch: Dispatch;
    readonly seal: PayloadSeal;
    readonly now: () => number;
    readonly hasPassed: (atMs: number) => Promise<boolean>;
    /** Ids of the other instances among which partitions are shared out. */
    readonly streamingOthers: () => readonly string[];
    readonly roundTripMs: () => number;
    readonly enabled: () => boolean;
    readonly maxInFlight: number | undefined;
    readonly metrics: Metrics;
    readonly log: Log;
  },
): Receivers {
  const { redis, keys, dispatch, metrics, log } = shared;
  const { namespace } = keys;
  const untaken = (count: number): void => metrics.untaken.inc(count);
  const replyFailed = (): void => metrics.replyFailures.inc();
  const admission = new Admission(shared.roundTripMs);
  const channels = self.channels
    ? new ChannelReceiver(shared.subscriber, redis, {
        namespace,
        glob: self.glob,
        commands: self.commands,
        dispatch,
        admission,
        ...(shared.maxInFlight !== undefined && { maxInFlight: shared.maxInFlight }),
        events: { refused: (reason) => metrics.refused.inc({ reason }), untaken, replyFailed },
      })
    : undefined;
  let toldAt = Number.NEGATIVE_INFINITY;
  const failingToldAt = new Map<number, number>();
  const replies = new Replies(redis, namespace, untaken);
  const streams = self.streams
    ? new StreamReceiver({
        redis,
        keys,
        dispatch,
        admission,
        replies,
        seal: shared.seal,
        now: shared.now,
        hasPassed: shared.hasPassed,
        instance: self.id,
        others: shared.streamingOthers,
        enabled: shared.enabled,
        tellFreed: (freed) => {
          const message = encodeFreedPartitions({ instance: self.id, freed });
          redis.command('PUBLISH', heartbeatChannel(namespace), message).catch(() => undefined);
        },
        events: {
          committed: () => metrics.streamRequests.inc({ outcome: 'done' }),
          repeated: () => metrics.streamRequests.inc({ outcome: 'repeated' }),
          deadLettered: ({ command, session, id }, reason) => {
            metrics.streamRequests.inc({ outcome: 'dead-letter' });
            if (performance.now() < toldAt + LOG_INTERVAL_MS) return;
            toldAt = performance.now();
            log.error({ command, session, id, reason }, 'A request was given up: see `sessionwise deadletters list`.');
          },
          failing: (partition, error) => {
            if (
              performance.now() <
              (failingToldAt.get(partition) ?? Number.NEGATIVE_INFINITY) + FAILING_LOG_INTERVAL_MS
            )
              return;
            failingToldAt.set(partition, performance.now());
            log.error({ partition, reason: error.message }, 'A partition cannot be worked off; trying again.');
          },
          expired: () => metrics.streamRequests.inc({ outcome: 'unanswered' }),
          untaken,
          replyFailed,
        },
      })
    : undefined;
  return {
    get inFlight() {
      return (channels?.inFlight ?? 0) + (streams?.inFlight ?? 0);
    },
    get ownedPartitions() {
      return streams?.owned ?? 0;
    },
    get backlog() {
      return streams?.backlog ?? 0;
    },
    async start() {
      await channels?.start();
      if (!streams) return;
      await streams.start();
      await shared.subscriber.subscribe(heartbeatChannel(namespace), (message) => {
        const freed = decodeFreedPartitions(message);
        if (freed && freed.instance !== self.id) streams.hearFreed(freed.instance, freed.freed);
      });
    },
    async stop(deadlineMs) {
      const finished = await Promise.all([channels?.stop(deadlineMs) ?? true, streams?.stop(deadlineMs) ?? true]);
      replies.stop();
      return finished.every(Boolean);
    },
  };
}
