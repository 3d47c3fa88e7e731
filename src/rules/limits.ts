/** The most suggestions of a service. */
export const MAX_SUGGESTIONS = 1_000;
/** The most segments of a service. */
export const MAX_SEGMENTS = 200;
/** The most conditions of one rule, those within others included. */
export const MAX_CONDITIONS_OF_RULE = 64;
/** The most conditions of all rules together. */
export const MAX_CONDITIONS = 5_000;
/** How deep conditions nest, and how deep segments ask each other. */
export const MAX_DEPTH = 8;
/** Counts are known by day for so many days (knowledge/facts/). */
export const MAX_DAYS = 35;
/** Of one day, so many are counted at most (knowledge/facts/). */
export const MAX_COUNT_OF_DAY = 65_535;
/** The largest count that a condition may ask for. */
export const MAX_COUNT = 1_000_000_000;
/** The longest pause between two times that a suggestion is shown, in days. */
export const MAX_COOLDOWN = 365;
/** Priorities reach from minus this to this. */
export const MAX_PRIORITY = 1_000_000;
/** The longest text of a suggestion, and of a reason, in characters. */
export const MAX_TEXT = 4_096;
