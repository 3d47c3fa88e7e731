import type { SuggestionMark } from '../protocol/index.ts';

/* fact-name.ts: by which names facts are counted. No name of an event or an item has a control character, so none of these
 * is another one's. */

/** What is counted of a visitor: an event, or views of a cluster's pages. */
export interface FactName {
  readonly kind: 'event' | 'cluster';
  readonly name: string;
}

/** Names the fact that an event happened with an item. */
export function nameOfEventWith(event: string, item: string): string {
  return `${event}\0${item}`;
}

/** Names the fact that a visitor did this with the suggestion of a rule. */
export function nameOfMark(mark: SuggestionMark, rule: string): string {
  return `\0${mark}\0${rule}`;
}
