/** A rule that data propose: where all of `when` were seen, `suggest` is likely. */
export interface Candidate {
  /** What must have been seen, the most frequent first. */
  readonly when: readonly string[];
  readonly suggest: string;
  /** How many baskets hold all of them, those of `when`, and the suggested item. */
  readonly baskets: number;
  readonly whenBaskets: number;
  readonly suggestBaskets: number;
  /** Share of all baskets that hold all of them. */
  readonly support: number;
  /** Share of the baskets with `when` that hold the suggested item too. */
  readonly confidence: number;
  /** How many times as large that share is as among all baskets. */
  readonly lift: number;
}

/** What was found in baskets. */
export interface Discovery {
  readonly baskets: number;
  /** How many different items there are. */
  readonly items: number;
  /** In how many baskets a set of items had to be. */
  readonly minCount: number;
  /** How many items are in as many baskets, and how many sets of items, single ones included. */
  readonly frequentItems: number;
  readonly itemsets: number;
  /** How many rules have the confidence asked for; by their number of items. */
  readonly rules: number;
  readonly rulesBySize: Readonly<Record<number, number>>;
  /** How many of them have the lift asked for too. */
  readonly liftedRules: number;
  /** The best of these. */
  readonly candidates: readonly Candidate[];
}
