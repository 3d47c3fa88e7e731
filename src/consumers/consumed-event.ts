/** What each event of a consumer has. */
export interface ConsumedEvent {
  /** Names the event: it is the same at each try, and in a Cluster also where the stream holds the event twice. */
  readonly id: string;
  /** When it was written, in milliseconds of the epoch, by Redis's clock. */
  readonly at: number;
  /** How often the group got it, this time included. Above 1 where a loop ended, or its process died, before it asked for
   *  the next one. */
  readonly tries: number;
}

/** Tells that events may be missing: the stream keeps a bounded number and dropped some before the group was done with them,
 *  or Redis lost the stream. What they would have told has to be looked up elsewhere. */
export interface EventGap {
  readonly event: 'gap';
  /** Between these two times, in milliseconds of the epoch. */
  readonly from: number;
  readonly until: number;
}
