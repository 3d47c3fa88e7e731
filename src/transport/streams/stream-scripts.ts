import { defineScript } from '../../redis/index.ts';

/* stream-scripts.ts: the atomic steps of a partition's ownership. Those that take an entry off its stream stand in
 * commit-scripts.ts, those that count its tries in try-scripts.ts. All keys of a partition share a slot. */

/** How long the ids of done requests are remembered, in milliseconds: a producer that tries again counts once. */
export const DONE_TTL_MS = 60_000;
/** How many of them a partition remembers; a renewal drops the oldest above that. */
export const DONE_CAP = 10_000;
/** How long a partition's notes beside its stream are kept, in milliseconds: longer than a service is away. */
export const NOTES_TTL_MS: number = 24 * 3_600_000;

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

/** Gives a partition back. */
export const releasePartition = defineScript({
  name: 'release-partition',
  keys: ['owner'],
  args: { token: 'text' },
  statuses: { released: 1, notOwner: 0 },
  output: 'released, or notOwner where the lease is lost',
  body: (status) => `
    if redis.call('GET', owner) ~= token then return ${status.notOwner} end
    redis.call('DEL', owner)
    return ${status.released}`,
});
