/* The surface for adapters of web frameworks, `sessionwise/adapter`. Our own adapters are made of it. */
export type { PageOptions, SessionClient, SessionHandle } from '../client/index.ts';
export { handleWithoutVisitor } from '../client/index.ts';
export type { ConsumeOptions, EventGap } from '../consumers/index.ts';
export { ConsumerRefusedError } from '../consumers/index.ts';
export type { LiveOptions } from '../live/index.ts';
export { createToken, personOf, SessionwiseError, sessionOf } from '../protocol/index.ts';
export type { OptionForms } from '../protocol/internal/index.ts';
export { checkOptions, warnOnce } from '../protocol/internal/index.ts';
export { ConnectionOptionsError } from '../redis/index.ts';
export type {
  ArchivedActivity,
  ArchivedSession,
  ArchiveFunction,
  LifecycleEvent,
  LoadedSession,
  SessionData,
  SessionDataOptions,
  SessionInfo,
  SessionReference,
  SetIfOutcome,
  UserSession,
  UserSessionPage,
} from '../sessions/index.ts';
export {
  NotSerialisableError,
  SessionDataError,
  SessionGoneError,
  SessionLimitError,
  StoreUnavailableError,
} from '../sessions/index.ts';
export { NotKeptError } from '../transport/client/index.ts';
export { markInitialised } from './anonymous-session.ts';
export type { CurrentSession } from './current-session.ts';
export type { DegradedOperation } from './degraded-operation.ts';
export type { AnswerHead, HeaderLine, HeadWriter } from './http/add-headers-at-head.ts';
export { addHeadersAtHead } from './http/add-headers-at-head.ts';
export { HandleAttacher } from './http/attach-handle.ts';
export { BrowserRequests } from './http/browser-requests.ts';
export type { BrowserScript, BrowserScriptOptions } from './http/browser-script.ts';
export { browserScript } from './http/browser-script.ts';
export type { Consent } from './http/consent.ts';
export { deviceLabel } from './http/device-label.ts';
export type { HandleOptions } from './http/handle-options.ts';
export type { HandleRequest, HandleStore } from './http/handle-request.ts';
export type { LiveScript, LiveScriptOptions } from './http/live-script.ts';
export { liveScript } from './http/live-script.ts';
export type { PageRequest, PageviewMode } from './http/page-request.ts';
export { bearerOf, isDocument } from './http/page-request.ts';
export type { PlainAnswer } from './http/script-answer.ts';
export type { TokenVerifier } from './http/session-of-token.ts';
export type { VisitorCookieOptions } from './http/visitor-cookie-options.ts';
export type { AnswerWriter } from './http/when-answered.ts';
export { whenAnswered } from './http/when-answered.ts';
export { LiveStreams } from './live-streams.ts';
export { loadPeer } from './load-peer.ts';
export { PeerMissingError } from './peer-missing-error.ts';
export { RequestSessions } from './request-sessions.ts';
export type { RequestOperations, SessionOperations } from './session-operations.ts';
export { RequestStore, sessionMethods } from './session-operations.ts';
export type { SessionStates } from './session-states.ts';
export type { SessionStoreEvents } from './session-store-events.ts';
export type { SessionStoreOptions } from './session-store-options.ts';
export type { InlineServiceOptions, SessionwiseOptions } from './sessionwise-options.ts';
export type { SharedParts } from './site-parts.ts';
export { SiteParts } from './site-parts.ts';
export type { SessionCookieOptions, WebSessionOptions } from './web/session-cookie.ts';
export { SessionCookie } from './web/session-cookie.ts';
export type { WebExchange } from './web/web-exchange.ts';
export type { WebKnowledge } from './web/web-knowledge.ts';
export { webKnowledge } from './web/web-knowledge.ts';
export type { KnowledgeOptions, WebSite } from './web/web-parts.ts';
export { WebParts } from './web/web-parts.ts';
export { WebRequest } from './web/web-request.ts';
export type { SessionLifecycle, WebSession } from './web/web-session.ts';
export { WebSessionStore } from './web/web-session-store.ts';
