import { defineScript } from '../../../redis/index.ts';
import { NOTES_TTL_MS } from './notes-ttl.ts';

/** How long the ids of done requests are remembered, in milliseconds: a producer that tries again counts once. */
export const DONE_TTL_MS = 60_000;
/** How many of them a partition remembers; a renewal drops the oldest above that. */
export const DONE_CAP = 10_000;
/** Renews the lease of a partition. `now`: milliseconds of the epoch by Redis's clock; `position`: the last entry that
 *  was read; `oldest`: the oldest entry in hand, or ''.
 *
 *  It looks only for entries that should not be there, and so copies no payload. The id of a done request is forgotten
 *  only when no entry is left that could be the same request, sent again. */
export const renewPartition = defineScript({
  name: 'renew-partition',
  keys: ['owner', 'requests', 'done'],
  args: { token: 'text', leaseMs: 'number', now: 'number', position: 'text', oldest: 'text' },
  output: `the length of the stream, and an entry that was read past and is not in hand (or '');
    nil where the lease is lost`,
  body: `
    if redis.call('GET', owner) ~= token then return false end
    redis.call('PEXPIRE', owner, leaseMs)
    local length = redis.call('XLEN', requests)
    local forgotten = redis.call('XRANGE', requests, '-', oldest == '' and position or '(' .. oldest, 'COUNT', 1)[1]
    local waits_since = oldest ~= '' and tonumber(string.match(oldest, '^%d+'))
    if (oldest ~= '' or length == 0) and not forgotten then
      local since = math.min(now, waits_since or math.huge)
      redis.call('ZREMRANGEBYSCORE', done, '-inf', string.format('%d', since - ${DONE_TTL_MS}))
    end
    redis.call('ZREMRANGEBYRANK', done, 0, -${DONE_CAP + 1})
    redis.call('PEXPIRE', done, ${NOTES_TTL_MS})
    return { length, forgotten and forgotten[1] or '' }`,
}).returns<[length: number, forgotten: string] | null>();
