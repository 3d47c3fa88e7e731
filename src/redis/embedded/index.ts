export type { ProcessMark } from './address.ts';
export { isRunning, processBirth, readEmbeddedAddress } from './address.ts';
export type { EmbeddedRedis } from './embedded-redis.ts';
export { startEmbeddedRedis } from './embedded-redis.ts';
export { outputTail } from './output-tail.ts';
