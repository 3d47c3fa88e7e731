export { LiveHub } from './live-hub.ts';
export type { LiveOptions } from './live-options.ts';
export { ServerWatch } from './server-watch.ts';
export type { LiveVisitor, StreamResponse } from './visitor-stream.ts';
