/* service-transport.ts: the service's side of a transport. The client's side is `SessionTransport` (transport.ts). `inline`
 * has no side of its own here: its client calls the service's `Dispatch` itself. */

/** Takes requests of other processes, has them served and sends the replies. */
export interface ServiceTransport {
  /** Requests in hand. */
  readonly inFlight: number;
  /** Requests that wait in Redis for this instance, as of the last look. 0 for a transport that keeps none. */
  readonly backlog: number;
  /** Partitions that this instance owns. 0 for a transport that has none. */
  readonly ownedPartitions: number;
  /** Why some of its requests cannot be served now, though Redis is well; undefined where all can. */
  readonly trouble: string | undefined;
  /** Takes requests from now on. */
  start(): Promise<void>;
  /** Takes no more requests and waits for those in hand, at most `deadlineMs`. Whether all of them were finished. */
  stop(deadlineMs: number): Promise<boolean>;
}

/** Events of replies, the same for every transport. */
export interface ReplyEvents {
  /** So many replies were claimed by no caller. */
  unclaimed(count: number): void;
  /** A reply could not be sent. */
  replyFailed(error: unknown): void;
}
