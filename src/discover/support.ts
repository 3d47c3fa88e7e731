/** In how many baskets a set must be: a share of all, above 0 and below 1, and a least number; or a number alone. */
export interface Support {
  readonly share?: number;
  readonly count?: number;
}

/** The least number of baskets of a set. Compares shares as they are: `60 / 9835 >= 0.006`. */
export function leastCount({ share = 0, count = 1 }: Support, baskets: number): number {
  let least = Math.ceil(share * baskets);
  while (least > 0 && (least - 1) / baskets >= share) least -= 1;
  while (least / baskets < share) least += 1;
  return Math.max(1, least, count);
}
