import type {
  ActiveReply,
  AnalyticsReply,
  IdentifyReply,
  Notification,
  PageviewReply,
  Suggestion,
} from '../protocol/index.ts';
import { MalformedReplyError } from '../protocol/index.ts';

/* reply-forms.ts: whether a reply has the form of docs/protocol.md, section 12. Other programs may publish on
 * our inbox, and a page must not break on what they send. Fields beyond those of the form are let through. */

/** Makes the error for a reply of another form. */
export function malformed(why: string): MalformedReplyError {
  return new MalformedReplyError(`The reply is not of the form of its command: ${why}.`);
}

type Form<Reply> = { readonly [Field in keyof Reply]-?: (value: unknown) => boolean };

const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isMinutes = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 5 && value.every((minute) => minute === 0 || minute === 1);

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
  combo: isText,
  suggest: isText,
  because: (value) => Array.isArray(value) && value.every(isText),
  reason: isText,
};
const GROUP_NOTICE: Form<Notification> = {
  id: isText,
  seen: isBoolean,
  text: isText,
  at: isCount,
  group: isText,
};

/** Checks the reply of `pageview`.
 *  @throws MalformedReplyError */
export function checkPageview(reply: unknown): PageviewReply {
  return check(reply, PAGEVIEW);
}

/** Checks the reply of `session-analytics`.
 *  @throws MalformedReplyError */
export function checkAnalytics(reply: unknown): AnalyticsReply {
  return check(reply, ANALYTICS);
}

/** Checks the reply of `session-analytics` for a page.
 *  @throws MalformedReplyError */
export function checkAnalyticsOfPage(reply: unknown): AnalyticsReply {
  return check(reply, ANALYTICS_OF_PAGE);
}

/** Checks the reply of `active`.
 *  @throws MalformedReplyError */
export function checkActive(reply: unknown): ActiveReply {
  return check<ActiveReply>(reply, { active: isBoolean });
}

/** Checks the reply of `combo`.
 *  @throws MalformedReplyError */
export function checkSuggestions(reply: unknown): Suggestion[] {
  return checkEach(reply, SUGGESTION);
}

/** Checks the reply of `identify`.
 *  @throws MalformedReplyError */
export function checkIdentify(reply: unknown, from: string): IdentifyReply {
  return check<IdentifyReply>(reply, { from: (value) => value === from, merged: (value) => value === true });
}

/** Checks the reply of `notifications` for lists that the store keeps.
 *  @throws MalformedReplyError */
export function checkGroupNotices(reply: unknown): Notification[] {
  return checkEach(reply, GROUP_NOTICE);
}

function checkEach<Reply>(reply: unknown, form: Form<Reply>): Reply[] {
  if (!Array.isArray(reply)) throw malformed('no array');
  return reply.map((each) => check(each, form));
}

function check<Reply>(reply: unknown, form: Form<Reply>): Reply {
  if (typeof reply !== 'object' || reply === null || Array.isArray(reply)) throw malformed('no object');
  for (const [field, isRight] of Object.entries<(value: unknown) => boolean>(form)) {
    if (!Object.hasOwn(reply, field) || !isRight((reply as Record<string, unknown>)[field])) {
      throw malformed(`"${field}" is missing or wrong`);
    }
  }
  return reply as Reply;
}
