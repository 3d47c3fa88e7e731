export type {
  ActivePayload,
  ActiveReply,
  AnalyticsQuery,
  AnalyticsReply,
  CanonicalCommand,
  CommandMap,
  CommandName,
  IdentifyReply,
  LiveList,
  LiveReply,
  Notice,
  NoticeCounts,
  NoticeStats,
  NoticesReply,
  Notification,
  PageviewPayload,
  PageviewReply,
  SurfaceQuery,
  TogetherPart,
  VisitorNotice,
} from './commands.ts';
export {
  CANONICAL_COMMANDS,
  COMMAND_NAMES,
  COMMANDS,
  canonicalCommand,
  encodePayload,
  isKnownCommand,
  isQuestion,
  isWriting,
  mustKeep,
} from './commands.ts';
export type { FreedPartitions } from './freed-partitions.ts';
export { decodeFreedPartitions, encodeFreedPartitions } from './freed-partitions.ts';
export type { Heartbeat } from './heartbeat.ts';
export {
  decodeHeartbeat,
  encodeHeartbeat,
  HEARTBEAT_INTERVAL_MS,
  HEARTBEAT_TTL_MS,
  heartbeatChannel,
} from './heartbeat.ts';
export type { InboxReply } from './inbox.ts';
export { inboxChannel, inboxMessage, parseInboxMessage } from './inbox.ts';
export { isPageItem, normalizeItem } from './item.ts';
export { MAX_ITEM_BYTES, MAX_ITEMS, MAX_PARTS, MAX_PAYLOAD_BYTES } from './limits.ts';
export { MalformedReplyError } from './malformed-reply-error.ts';
export { checkNamespace, DEFAULT_NAMESPACE, wirePrefix } from './namespace.ts';
export type {
  NoticeAudience,
  NoticeEdit,
  NoticeFields,
  NoticeMarkName,
  NoticeSeverity,
  NoticesMark,
  NoticesQuery,
  NoticeToPublish,
} from './notice.ts';
export { NOTICE_MARKS, NOTICE_SEVERITIES } from './notice.ts';
export { checkUserId, isPerson, personOf } from './person-id.ts';
export type { ErrorCode } from './protocol-error.ts';
export { isErrorCode, ProtocolError } from './protocol-error.ts';
export { decodeReply, encodeErrorReply, encodeReply, REPLY_TTL_MS } from './reply.ts';
export type { ReplyRoute } from './request-id.ts';
export { parseRequestId } from './request-id.ts';
export type { RefusedRobots } from './robots.ts';
export type { SessionGlob } from './session-glob.ts';
export { EVERY_SESSION, parseSessionGlob } from './session-glob.ts';
export { createToken, isOwnToken, secretOf, sessionOf } from './session-id.ts';
export { SessionwiseError } from './sessionwise-error.ts';
export type {
  ExplainedRule,
  ExplainedSuggestions,
  Explanation,
  SegmentsQuery,
  Suggestion,
  SuggestionsQuery,
} from './suggestion.ts';
export type { Topic } from './topic.ts';
export { isCommandName, isSession, parseTopic, replyKey, topicChannel, topicPattern } from './topic.ts';
export type { SuggestionMark, SuggestionsMark, TrackPayload, TrackReply } from './track.ts';
export { MAX_EVENT_CHARACTERS, MAX_EVENT_COUNT, MAX_EVENT_ITEMS, SUGGESTION_MARKS } from './track.ts';
export { UnknownCommandError } from './unknown-command-error.ts';
