/* The service's side of the transports. */

export type { ReceiverEvents } from '../channels/channel-receiver.ts';
export { ChannelReceiver } from '../channels/channel-receiver.ts';
export type { DeadLetter } from '../streams/dead-letters.ts';
export { DeadLetters } from '../streams/dead-letters.ts';
export type { StreamEvents } from '../streams/entry-server.ts';
export type { ErasedRequests } from '../streams/stream-erasure.ts';
export { StreamErasure } from '../streams/stream-erasure.ts';
export { StreamReceiver } from '../streams/stream-receiver.ts';
export { Admission } from './admission.ts';
export type { ReplyEvents, ServiceTransport } from './service-transport.ts';
