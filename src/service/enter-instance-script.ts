import { defineScript } from '../redis/index.ts';

/** Enters an instance among those that work off streams, and removes those that have been silent for `ttlMs`.
 *
 *  It removes first: a script that has begun to write goes on where Redis is full. Instances far ahead of Redis's clock
 *  were entered before that clock was set back. */
export const enterInstance = defineScript({
  name: 'enter-instance',
  keys: ['instances'],
  args: { instance: 'text', ttlMs: 'number' },
  output: 'the instances',
  body: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('ZREMRANGEBYSCORE', instances, '-inf', string.format('%d', now - ttlMs))
    redis.call('ZREMRANGEBYSCORE', instances, string.format('%d', now + ttlMs), '+inf')
    redis.call('ZADD', instances, string.format('%d', now), instance)
    redis.call('PEXPIRE', instances, ttlMs)
    return redis.call('ZRANGE', instances, 0, -1)`,
}).returns<string[]>();
