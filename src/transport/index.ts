/* What both sides of the transports share. The client's side has its door in client/, the service's in service/, so that
 * neither loads the other. */

export { OverlapLimiter } from './overlap-limiter.ts';
export type { Instance, Overlap } from './presence.ts';
export { Presence } from './presence.ts';
export { PayloadSeal } from './streams/payload-seal.ts';
export type { Dispatch, NoAnswerReason, Outcome, Served, SessionTransport } from './transport.ts';
export type { RemoteTransportName, Route, TransportName } from './transport-names.ts';
export { isRoute, REMOTE_TRANSPORT_NAMES, ROUTES, routesOf, TRANSPORT_NAMES } from './transport-names.ts';
