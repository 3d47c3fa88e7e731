/** Options of live streams. */
export interface LiveOptions {
  /** The most open streams of the process. Further ones are answered with 503. Default 20,000. */
  readonly maxStreams?: number;
  /** The most open streams of one visitor or person, on all their devices that this process serves. Default 10. */
  readonly maxStreamsOfVisitor?: number;
  /** How often a silent stream gets a sign of life, in milliseconds: less than what proxies wait for, mostly 60 seconds.
   *  Default 25,000. */
  readonly heartbeatMs?: number;
  /** When a browser comes back after a cut, in milliseconds; each at a random time up to twice of it. Default 2,000. */
  readonly retryMs?: number;
  /** How long a stream stays open, in milliseconds. Then the browser comes back and goes on where it was: so a stream
   *  outlives neither a session that has expired nor a user who was locked out for longer. Default 3,600,000, an hour. */
  readonly maxAgeMs?: number;
}

export const LIVE_DEFAULTS: Required<LiveOptions> = {
  maxStreams: 20_000,
  maxStreamsOfVisitor: 10,
  heartbeatMs: 25_000,
  retryMs: 2_000,
  maxAgeMs: 3_600_000,
};
