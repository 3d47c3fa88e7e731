import { defineScript } from '../../../redis/index.ts';

/** Reads the clock of the server that holds a key. TIME itself has no key: in a Cluster any master could answer it. */
export const readTime = defineScript({
  name: 'read-time',
  keys: ['key'],
  output: 'the answer of TIME: seconds, microseconds',
  body: `return redis.call('TIME')`,
}).returns<[seconds: string, microseconds: string]>();
