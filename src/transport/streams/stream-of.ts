import { PARTITIONS, partitionOf, type RedisConnection } from '../../redis/index.ts';

/* stream-of.ts: which stream a request is added to. In a Cluster each partition has its own, because a commit reaches one
 * slot. On one server 16 streams take the requests of all partitions: an owner has more of them in hand at once, so one
 * commit and one read do more. Fewer than 16 gain nothing: XDEL takes longer in a longer stream. */

/** How many streams take requests where the server has all keys. A divisor of PARTITIONS. */
export const STREAMS_ON_ONE_SERVER = 16;

/** How many streams take requests. */
export function streamsOf({ oneSlotPerRead }: Pick<RedisConnection, 'oneSlotPerRead'>): number {
  return oneSlotPerRead ? PARTITIONS : STREAMS_ON_ONE_SERVER;
}

/** The partition whose stream takes a session's requests. */
export function streamOf(session: string, redis: Pick<RedisConnection, 'oneSlotPerRead'>): number {
  return partitionOf(session) % streamsOf(redis);
}

/** Whether a session's requests may stand in the stream of a partition: in that of its own everywhere. */
export function mayStandIn(stream: number, session: string, streams: number): boolean {
  const partition = partitionOf(session);
  return partition === stream || partition % streams === stream;
}
