import type {
  ActiveReply,
  AnalyticsReply,
  ExplainedRule,
  ExplainedSuggestions,
  IdentifyReply,
  PageviewReply,
  RefusedRobots,
  Suggestion,
  SuggestionsMark,
  TrackReply,
} from '../protocol/index.ts';
import { MalformedReplyError } from '../protocol/index.ts';
import { isObject } from '../protocol/internal/index.ts';

/* reply-forms.ts: whether a reply has the form of docs/protocol.md, section 12. Other programs may publish on
 * our inbox, and a page must not break on what they send. Fields beyond those of the form are let through. */

/** Makes the error for a reply of another form. */
export function malformed(why: string): MalformedReplyError {
  return new MalformedReplyError(`The reply is not of the form of its command: ${why}.`);
}

/** Per field whether its value is right. */
export type Form<Reply> = { readonly [Field in keyof Reply]-?: (value: unknown) => boolean };

export const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
export const isText = (value: unknown): boolean => typeof value === 'string';
export const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isMinutes = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 5 && value.every((minute) => minute === 0 || minute === 1);

// Conditions within it are looked at by whoever shows them.
function isExplanation(value: unknown): boolean {
  return isObject(value) && isBoolean(value.holds) && isText(value.text);
}

const VISIT = {
  totalPages: isCount,
  uniquePages: isCount,
  activityThisMinute: isBoolean,
  activity: isMinutes,
  newToSite: isBoolean,
  inactive: isBoolean,
};
const PAGEVIEW: Form<PageviewReply> = { ...VISIT, previouslyVisited: isBoolean };
const ANALYTICS: Form<Omit<AnalyticsReply, 'previouslyVisited'>> = {
  ...VISIT,
  activeMinutes: isCount,
  firstActiveMinute: (value) => value === null || isCount(value),
};
const ANALYTICS_OF_PAGE: Form<AnalyticsReply> = { ...ANALYTICS, previouslyVisited: isBoolean };
const SUGGESTION: Form<Suggestion> = {
  rule: isText,
  suggest: isText,
  because: (value) => Array.isArray(value) && value.every(isText),
  reason: isText,
};
/** Checks the reply of `pageview`.
 *  @throws MalformedReplyError */
export function checkPageview(reply: unknown): PageviewReply {
  return checkForm(reply, PAGEVIEW);
}

/** Checks the reply of `session-analytics`.
 *  @throws MalformedReplyError */
export function checkAnalytics(reply: unknown): AnalyticsReply {
  return checkForm(reply, ANALYTICS);
}

/** Checks the reply of `session-analytics` for a page.
 *  @throws MalformedReplyError */
export function checkAnalyticsOfPage(reply: unknown): AnalyticsReply {
  return checkForm(reply, ANALYTICS_OF_PAGE);
}

/** Checks the reply of `active`.
 *  @throws MalformedReplyError */
export function checkActive(reply: unknown): ActiveReply {
  return checkForm<ActiveReply>(reply, { active: isBoolean });
}

const EXPLAINED: Form<Omit<ExplainedRule, 'hidden'>> = {
  rule: isText,
  holds: isBoolean,
  shown: isBoolean,
  explanation: isExplanation,
};

/** Checks the reply of `combo`.
 *  @throws MalformedReplyError */
export function checkSuggestions(reply: unknown): Suggestion[] {
  return checkEach(reply, SUGGESTION);
}

/** Checks the reply of `combo` with explanations.
 *  @throws MalformedReplyError */
export function checkExplainedSuggestions(reply: unknown): ExplainedSuggestions {
  return checkForm<ExplainedSuggestions>(reply, {
    suggestions: (value) => checkEach(value, SUGGESTION).length >= 0,
    rules: (value) => checkEach(value, EXPLAINED).length >= 0,
    segments: (value) => isObject(value) && Object.values(value).every(isExplanation),
  });
}

/** Checks the reply of `segments`. `names`: those that were asked about; undefined for all.
 *  @throws MalformedReplyError */
export function checkSegments(reply: unknown, names: readonly string[] | undefined): Record<string, boolean> {
  if (!isObject(reply)) throw malformed('no object');
  const wrong = (names ?? Object.keys(reply)).find((name) => !Object.hasOwn(reply, name) || !isBoolean(reply[name]));
  if (wrong !== undefined) throw malformed(`"${wrong}" is missing or wrong`);
  return reply as Record<string, boolean>;
}

/** Checks the reply of `track`.
 *  @throws MalformedReplyError */
export function checkTracked(reply: unknown, event: string): TrackReply {
  return checkForm<TrackReply>(reply, { event: (value) => value === event, count: isCount, dropped: isCount });
}

/** Checks the reply of `mark-suggestions`.
 *  @throws MalformedReplyError */
export function checkSuggestionsMarked(reply: unknown, { rules, as }: SuggestionsMark): SuggestionsMark {
  return checkForm<SuggestionsMark>(reply, {
    rules: (value) =>
      Array.isArray(value) && value.length === rules.length && value.every((each, i) => each === rules[i]),
    as: (value) => value === as,
  });
}

/** Checks the reply of `robots`.
 *  @throws MalformedReplyError */
export function checkRobotsTold(reply: unknown, { refused }: RefusedRobots): RefusedRobots {
  return checkForm<RefusedRobots>(reply, { refused: (value) => value === refused });
}

/** Checks the reply of `identify`.
 *  @throws MalformedReplyError */
export function checkIdentify(reply: unknown, from: string): IdentifyReply {
  return checkForm<IdentifyReply>(reply, { from: (value) => value === from, merged: (value) => value === true });
}

/** Checks each entry of a list.
 *  @throws MalformedReplyError */
export function checkEach<Reply>(reply: unknown, form: Form<Reply>): Reply[] {
  if (!Array.isArray(reply)) throw malformed('no array');
  return reply.map((each) => checkForm(each, form));
}

/** Checks an object, field by field.
 *  @throws MalformedReplyError */
export function checkForm<Reply>(reply: unknown, form: Form<Reply>): Reply {
  if (typeof reply !== 'object' || reply === null || Array.isArray(reply)) throw malformed('no object');
  for (const [field, isRight] of Object.entries<(value: unknown) => boolean>(form)) {
    if (!Object.hasOwn(reply, field) || !isRight((reply as Record<string, unknown>)[field])) {
      throw malformed(`"${field}" is missing or wrong`);
    }
  }
  return reply as Reply;
}
