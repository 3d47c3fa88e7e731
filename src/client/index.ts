export type { SessionClientOptions } from './client-options.ts';
export type { Degraded, DegradedReason } from './degraded.ts';
export type { ItemOptions, ItemPick } from './handle-arguments.ts';
export { handleWithoutVisitor } from './handle-without-visitor.ts';
export { NotAcknowledgedError } from './not-acknowledged-error.ts';
export type {
  Moment,
  NewNotice,
  NoticeChangesGiven,
  NoticeOwner,
  NoticePublisher,
  NoticeRecipients,
} from './notice-publisher.ts';
export type { Notices } from './notices.ts';
export type { TransportChoice } from './open-transport.ts';
export type { ClientCounters } from './session-client.ts';
export { SessionClient } from './session-client.ts';
export { type EventDetails, type PageOptions, SessionHandle } from './session-handle.ts';
