/* The client's side of the transports, and what both sides share. It must not load the service's side. */

export type { ReplyMode } from './channels/channel-requester.ts';
export { InlineTransport } from './inline-transport.ts';
export { NotKeptError } from './not-kept-error.ts';
export { OverlapLimiter } from './overlap-limiter.ts';
export type { Instance, Overlap } from './presence.ts';
export { Presence } from './presence.ts';
export type { RedisTransportOptions } from './redis-transport.ts';
export { RedisTransport } from './redis-transport.ts';
export { PayloadSeal } from './streams/payload-seal.ts';
export type { Apply, Dispatch, NoAnswerReason, Outcome, Served, SessionTransport } from './transport.ts';
export type { RemoteTransportName, Route, TransportName } from './transport-names.ts';
export { isRoute, REMOTE_TRANSPORT_NAMES, routesOf, TRANSPORT_NAMES } from './transport-names.ts';
export { warnOnce } from './warn-once.ts';
