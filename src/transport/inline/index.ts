/* The transport of a service that runs in the serving process. */

export { DeferredTransport } from './deferred-transport.ts';
export { InlineTransport } from './inline-transport.ts';
