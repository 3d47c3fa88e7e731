import type { FilterEngine } from '../redis/index.ts';
import { SEEN_FILTER_DEFAULTS, type SeenFilterOptions } from './seen-filter.ts';

/** How the seen items of a kind are kept. Small: in the subject's record, exact, 8 bytes an item. Large: in a seen filter
 *  with a unique count beside it, the white paper's pair. The items turn from one form into the other in the step that
 *  makes them too many. */
export interface SeenItemsOptions extends SeenFilterOptions {
  readonly engine: FilterEngine;
  /** The most items of the small form, 0 to 512. Default 512; 0: always a filter. */
  readonly exactLimit: number;
}

/** The defaults of docs/reference/options.md. Up to 512 items the record takes less memory and less CPU than the pair. */
export const SEEN_ITEMS_DEFAULTS: SeenItemsOptions = { ...SEEN_FILTER_DEFAULTS, engine: 'portable', exactLimit: 512 };

const MOST_EXACT = 512;

/** Checks `exactLimit`.
 *  @throws RangeError */
export function checkExactLimit(exactLimit: number): number {
  if (Number.isInteger(exactLimit) && exactLimit >= 0 && exactLimit <= MOST_EXACT) return exactLimit;
  throw new RangeError(`exactLimit ${exactLimit} cannot be used: give a whole number from 0 to ${MOST_EXACT}.`);
}
