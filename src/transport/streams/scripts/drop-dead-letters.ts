import { defineScript } from '../../../redis/index.ts';

/** Deletes all letters of a partition. */
export const dropDeadLetters = defineScript({
  name: 'drop-dead-letters',
  keys: ['deadLetters'],
  output: 'how many there were',
  body: `
    local count = redis.call('XLEN', deadLetters)
    redis.call('UNLINK', deadLetters)
    return count`,
}).returns<number>();
