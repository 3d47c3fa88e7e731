import { excerpt } from './item.ts';
import { checkItem, checkList, checkOnce, checkTime, isObject } from './payload.ts';
import { ProtocolError } from './protocol-error.ts';

/* track.ts: the payloads of the commands that note what happened. The service checks by it what it is sent, and the client
 * what it sends. */

/** The longest name of an event or a rule, in characters. */
export const MAX_EVENT_CHARACTERS = 128;
/** The most that one message counts at once. */
export const MAX_EVENT_COUNT = 1_000_000;
/** The most items of one event. */
export const MAX_EVENT_ITEMS = 20;

/** The payload of `track`. */
export interface TrackPayload {
  /** What happened: 1 to 128 characters, as `added-to-cart`. */
  readonly event: string;
  /** How often, 1 to 1,000,000. Default 1. */
  readonly count?: number;
  /** What it was about, at most 20 paths, URLs or names: of each it is counted too. Default: nothing. */
  readonly items?: readonly string[];
  /** When, in milliseconds of the epoch. Counts only if the service accepts times. Default: now. */
  readonly at?: number;
  /** Names it, 1 to 32 letters, digits, `_` and `-`: one of that name that comes again within a minute does not count. */
  readonly once?: string;
}

/** The answer to `track`. */
export interface TrackReply {
  event: string;
  /** How often it happened in all. */
  count: number;
  /** How many facts that happened longest ago were dropped for it: a visitor has at most 100. */
  dropped: number;
}

/** What a visitor did with a suggestion. */
export const SUGGESTION_MARKS = ['shown', 'taken', 'dismissed'] as const;
/** One of `SUGGESTION_MARKS`. */
export type SuggestionMark = (typeof SUGGESTION_MARKS)[number];

/** The payload of `mark-suggestions`. */
export interface SuggestionsMark {
  /** The names of rules, at most 100. */
  readonly rules: readonly string[];
  readonly as: SuggestionMark;
}

const TRACK_FIELDS = new Set(['event', 'count', 'items', 'at', 'once']);
const MOST_RULES_MARKED = 100;
const NAME = `1 to ${MAX_EVENT_CHARACTERS} characters, without control characters`;

/** Checks the payload of `track`.
 *  @throws ProtocolError `bad-payload` or `too-large`. */
export function checkTrack(value: unknown): TrackPayload {
  if (!isObject(value)) {
    throw new ProtocolError('bad-payload', `${excerpt(value)} is no event: give {"event":"added-to-cart"}.`);
  }
  const unknown = Object.keys(value).find((field) => !TRACK_FIELDS.has(field) && value[field] !== undefined);
  if (unknown !== undefined) {
    throw new ProtocolError(
      'bad-payload',
      `${excerpt(unknown)} is no field of an event: give event, count, items, at or once.`,
    );
  }
  const { event, count, items, at, once } = value;
  return {
    event: checkEventName(event),
    ...(count !== undefined && { count: checkEventCount(count) }),
    ...(items !== undefined && { items: checkEventItems(items) }),
    ...(at !== undefined && { at: checkTime(at) }),
    ...(once !== undefined && { once: checkOnce(once) }),
  };
}

/** Checks the name of an event.
 *  @throws ProtocolError `bad-payload`. */
export function checkEventName(value: unknown): string {
  if (isName(value)) return value;
  throw new ProtocolError('bad-payload', `"event" is ${excerpt(value)}: give ${NAME}.`);
}

/** Checks the payload of `mark-suggestions`.
 *  @throws ProtocolError `bad-payload` or `too-large`. */
export function checkSuggestionsMark(value: unknown): SuggestionsMark {
  const { rules, as } = isObject(value) ? value : {};
  if (!SUGGESTION_MARKS.includes(as as SuggestionMark)) {
    throw new ProtocolError('bad-payload', `"as" is ${excerpt(as)}: give shown, taken or dismissed.`);
  }
  const names = checkList(rules, '{"rules":["name"],"as":"shown"}');
  if (names.length === 0 || names.length > MOST_RULES_MARKED) {
    throw new ProtocolError('too-large', `"rules" has ${names.length} names: give 1 to ${MOST_RULES_MARKED}.`);
  }
  return { rules: names.map(checkRuleName), as: as as SuggestionMark };
}

/** Checks the name of a rule.
 *  @throws ProtocolError `bad-payload`. */
export function checkRuleName(value: unknown): string {
  if (isName(value)) return value;
  throw new ProtocolError('bad-payload', `${excerpt(value)} is no name of a rule: give ${NAME}.`);
}

// Control characters separate names within the service; half a surrogate pair is no text.
function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= MAX_EVENT_CHARACTERS &&
    !/[\p{Cc}\p{Cs}]/u.test(value)
  );
}

function checkEventCount(value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_EVENT_COUNT) return value as number;
  throw new ProtocolError(
    'bad-payload',
    `"count" is ${excerpt(value)}: give a whole number from 1 to ${MAX_EVENT_COUNT.toLocaleString('en')}.`,
  );
}

function checkEventItems(value: unknown): string[] {
  const items = checkList(value, 'at most 20 items').map(checkItem);
  if (items.length <= MAX_EVENT_ITEMS) return [...new Set(items)];
  throw new ProtocolError('too-large', `"items" has ${items.length} entries: give at most ${MAX_EVENT_ITEMS}.`);
}
