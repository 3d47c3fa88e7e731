/* The transport of a service that runs in the serving process. */

export { InlineTransport } from './inline-transport.ts';
