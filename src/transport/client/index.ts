/* The client's side of the transports. */

export type { ReplyMode } from '../channels/channel-requester.ts';
export { NotKeptError } from './not-kept-error.ts';
export type { RedisTransportOptions } from './redis-transport.ts';
export { RedisTransport } from './redis-transport.ts';
