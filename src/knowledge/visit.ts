/** A subject's visit; `previouslyVisited` is true only where a view was recorded. */
export interface Visit {
  readonly totalPages: number;
  readonly uniquePages: number;
  readonly previouslyVisited: boolean;
  /** T-5 to T-1. */
  readonly lastMinutes: readonly boolean[];
  readonly thisMinute: boolean;
}

/** A visit whose view was recorded. */
export interface RecordedView extends Visit {
  /** How often each cluster of the page was viewed in all, this view included. */
  readonly clusterCounts: readonly number[];
}

/** A recorded view, and whether its subject is claimed for a person. */
export interface RecordedVisit extends RecordedView {
  readonly isClaimed: boolean;
}

/** A visit with all its active minutes. */
export interface VisitSummary extends Visit {
  readonly activeMinutes: number;
  /** In milliseconds of the epoch. */
  readonly firstActiveMinute: number | undefined;
  /** Whether `uniquePages` is exact or an estimate. */
  readonly uniquePagesExact: boolean;
}

/** A count of different items, and whether it is exact or an estimate. */
export interface SeenCount {
  readonly count: number;
  readonly exact: boolean;
}
