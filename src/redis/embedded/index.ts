export { readEmbeddedAddress } from './embedded-address.ts';
export type { EmbeddedRedis } from './embedded-redis.ts';
export { startEmbeddedRedis } from './embedded-redis.ts';
export { outputTail } from './output-tail.ts';
export type { ProcessMark } from './process-mark.ts';
export { isRunning, processBirth } from './process-mark.ts';
