/* What other rooms need of the protocol and users do not: `../index.ts` is the public subpath. */

export { aead } from '../aead.ts';
export type { OptionForms } from '../check-options.ts';
export { checkOptions, oneOf } from '../check-options.ts';
export { closestName } from '../closest-name.ts';
export type { SessionwiseErrorCode } from '../error-codes.ts';
export { ERROR_CODES } from '../error-codes.ts';
export type { InstanceFigures } from '../figures.ts';
export {
  decodeFigures,
  encodeFigures,
  FIGURES_INTERVAL_MS,
  figuresChannel,
  LATENCY_BOUNDS_S,
} from '../figures.ts';
export { GOOD_BYE_SILENCE_MS } from '../heartbeat.ts';
export { excerpt } from '../item.ts';
export { MAX_REPLY_CHARACTERS } from '../limits.ts';
export {
  checkAudience,
  checkGroupName,
  checkGroupSetting,
  checkMuting,
  checkNoticeEdit,
  checkNoticesMark,
  checkNoticesOf,
  checkNoticesQuery,
  checkNoticeToPublish,
  checkOfGroups,
  checkWithdrawal,
} from '../notice.ts';
export { NoticeSeal } from '../notice-seal.ts';
export {
  checkItem,
  checkList,
  checkNoticeId,
  checkOnce,
  checkPayloadSize,
  checkTime,
  decodePayload,
  isObject,
  parseJson,
  parseOneOrMany,
} from '../payload.ts';
export { isMistake } from '../person-id.ts';
export type { ErrorReply } from '../reply.ts';
export { checkReply, errorReply } from '../reply.ts';
export { checkRefusedRobots, MOST_REFUSED } from '../robots.ts';
export { checkSegmentsQuery, checkSuggestionsQuery, payloadOfQuery } from '../suggestion.ts';
export { tokenIn } from '../token-in.ts';
export { checkEventName, checkRuleName, checkSuggestionsMark, checkTrack } from '../track.ts';
export { warnOnce } from '../warn-once.ts';
export type { SessionwiseWarningCode } from '../warning-codes.ts';
export { WARNING_CODES } from '../warning-codes.ts';
