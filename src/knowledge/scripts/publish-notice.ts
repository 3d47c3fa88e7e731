import { defineScript } from '../../redis/index.ts';

/** Adds a notice to a group's list. `notice`: as JSON without its time. An entry of the list is "<sequence> <time>
 *  <notice key> <JSON>". */
export const publishNotice = defineScript({
  name: 'publish-notice',
  keys: ['list', 'index'],
  args: { noticeKey: 'text', notice: 'text', cap: 'number' },
  statuses: { added: 1, known: 0 },
  output: `added, the sequence number, and the notice keys that fell off the end;
    or known and the sequence number where the list holds the notice already`,
  body: (status) => `
    local known = redis.call('HGET', index, 'i' .. noticeKey)
    if known then return { ${status.known}, tonumber(known) } end
    local time = redis.call('TIME')
    local now = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
    redis.call('HSETNX', index, 'seq', string.format('%d', time[1] * 1000000 + time[2]))
    local sequence = string.format('%d', redis.call('HINCRBY', index, 'seq', 1))
    redis.call('LPUSH', list, sequence .. ' ' .. now .. ' ' .. noticeKey .. ' ' .. notice)
    redis.call('HSET', index, 'i' .. noticeKey, sequence)
    local answer = { ${status.added}, tonumber(sequence) }
    while redis.call('LLEN', list) > cap do
      local key = string.match(redis.call('RPOP', list), '^%d+ %d+ (%d+) ')
      redis.call('HDEL', index, 'i' .. key)
      answer[#answer + 1] = key
    end
    return answer`,
}).returns<[sequence: number, ...dropped: string[]]>();
