import { defineScript } from '../../../redis/index.ts';

/** Takes a partition that is free, or that this instance owns under an older token. `instancePrefix`: the beginning of
 *  this instance's tokens.
 *
 *  The DEL of an absent key comes first: a script that has begun to write goes on where Redis is full, and working off
 *  streams makes room. */
export const takePartition = defineScript({
  name: 'take-partition',
  keys: ['owner', 'tries'],
  args: { token: 'text', leaseMs: 'number', instancePrefix: 'text' },
  output: 'the tries of its entries, ids and texts of Tries in turn; nil where another instance owns it',
  body: `
    local current = redis.call('GET', owner)
    if current and string.sub(current, 1, #instancePrefix) ~= instancePrefix then return false end
    redis.call('DEL', owner)
    redis.call('SET', owner, token, 'PX', leaseMs)
    return redis.call('HGETALL', tries)`,
}).returns<string[] | null>();
