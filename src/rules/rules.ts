/* rules.ts: the language of rules, as sites write it: in a file of JSON or in TypeScript. One grammar of conditions serves
 * suggestions, segments and audiences of notices (docs/rules.md). */

/** Something that is true or not of a visitor. Each object has exactly one of these. */
export type Condition =
  /** All of them hold. */
  | { readonly all: readonly Condition[] }
  /** One of them holds, at least. */
  | { readonly any: readonly Condition[] }
  /** It does not hold. */
  | { readonly not: Condition }
  /** A path, a URL or a name was seen: as a page that was viewed, or as an item that was marked. */
  | { readonly seen: string }
  | EventCondition
  | ClusterCondition
  /** So many page views, at least. */
  | { readonly views: number }
  /** So many different pages, at least: an estimate above 512 of them. */
  | { readonly uniquePages: number }
  /** So many minutes with a view or a sign of activity, at least. */
  | { readonly activeMinutes: number }
  /** No page was viewed before this one. */
  | { readonly newToSite: true }
  /** Not new, and neither this minute nor one of the five before was active. */
  | { readonly inactive: true }
  /** The first view was on an earlier day (UTC) than today. */
  | { readonly returning: true }
  /** The first view was so many days (of 24 hours) ago, at least. */
  | { readonly daysSinceFirstView: number }
  /** Asked as a person, who is logged in. */
  | { readonly identified: true }
  /** The page says that the visitor belongs to this group. */
  | { readonly group: string }
  /** This segment holds. */
  | { readonly segment: string };

/** An event happened. */
export interface EventCondition extends HowOften {
  /** Its name, as of `track`. */
  readonly event: string;
  /** With this item. Default: with any, or none. */
  readonly item?: string;
}

/** Pages of a cluster were viewed. */
export interface ClusterCondition extends HowOften {
  /** Its name. */
  readonly cluster: string;
}

/** How often something happened. */
export interface HowOften {
  /** Default 1. */
  readonly atLeast?: number;
  /** Within so many days of UTC, 1 to 35, today included. Default: at any time. */
  readonly withinDays?: number;
}

/** How often a suggestion is shown. */
export interface ShowLimit {
  /** So many times at most. */
  readonly atMost: number;
  /** Within so many days of UTC, 1 to 35, today included. Default: in all. */
  readonly perDays?: number;
}

/** A rule that suggests something. */
export interface SuggestionRule {
  /** 1 to 128 characters. */
  readonly name: string;
  /** When it suggests. */
  readonly when: Condition;
  /** When it does not, although `when` holds: for what is in the cart already. */
  readonly unless?: Condition;
  readonly suggest: string;
  /** The reason, in words for the visitor. Default: none. */
  readonly reason?: string;
  /** Higher ones come first; those of equal priority in their order. Default 0. */
  readonly priority?: number;
  /** Default: as often as it holds. */
  readonly show?: ShowLimit;
  /** Days (of 24 hours) between one time that it is shown and the next, 1 to 365. Default: none. */
  readonly cooldown?: number;
}

/** Patterns of paths by the name of their cluster. `*` stands for any characters of one segment, `**` for any segments, also
 *  none: `/tv/**` is `/tv` and all below it. */
export type ClusterPatterns = Readonly<Record<string, readonly string[]>>;

/** All rules of a service. */
export interface Rules {
  /** Sets of pages by patterns of their paths, at most 200; views of a cluster's pages are counted. Default: none. */
  readonly clusters?: ClusterPatterns;
  /** Rules that suggest something, at most 1,000. Default: none. */
  readonly suggestions?: readonly SuggestionRule[];
  /** Conditions by the name of their segment, at most 200. Default: none. */
  readonly segments?: Readonly<Record<string, Condition>>;
}
