import { defineScript } from '../../redis/index.ts';

/** Merges unique counts into one. Behind the named arguments stand `logs` HyperLogLogs as bytes, then item keys. */
export const mergeUnique = defineScript({
  name: 'merge-unique',
  keys: ['target', 'scratch'],
  args: { logs: 'number' },
  restArgs: 'log',
  output: 'the count of the union',
  body: `
    local firstItem = firstLog + logs
    for i = firstLog, firstItem - 1 do
      redis.call('SET', scratch, ARGV[i])
      redis.call('PFMERGE', target, scratch)
    end
    redis.call('DEL', scratch)
    for i = firstItem, #ARGV do redis.call('PFADD', target, ARGV[i]) end
    return redis.call('PFCOUNT', target)`,
}).returns<number>();
