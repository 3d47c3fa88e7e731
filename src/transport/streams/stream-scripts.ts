import { Script } from '../../redis/index.ts';

/* stream-scripts.ts: the atomic steps of a partition's stream, but for those that take an entry off it
 * (commit-scripts.ts), count its tries (try-scripts.ts) or read (read-entries.ts). All keys of a partition share a slot. */

/** How long the ids of done requests are remembered, in milliseconds: a producer that tries again counts once. */
export const DONE_TTL_MS = 60_000;
/** How many of them a partition remembers; a renewal drops the oldest of what is more. */
export const DONE_CAP = 10_000;
/** How long a partition's notes beside its stream are kept, in milliseconds: longer than a service is away. */
export const NOTES_TTL_MS: number = 24 * 3_600_000;

/** Adds a request, unless the stream is full.
 *
 *  Input: KEYS requests; ARGV the most entries, fields and values. Output: the entry's id, or nil where it is full. */
export const addEntry: Script<string | null> = new Script(`
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return false end
return redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))`);

/** Takes a partition that nobody owns, or this instance under a token that it has given up.
 *
 *  Input: KEYS owner, tries; ARGV token, milliseconds, what this instance's tokens begin with.
 *  Output: the tries of entries, ids and texts of `Tries` in turn, where it is ours now; else nil.
 *  The DEL of what is not there comes first: a step that has begun to write goes on where Redis is full, and working off
 *  streams is what makes room. */
export const takePartition: Script<string[] | null> = new Script(`
local owner = redis.call('GET', KEYS[1])
if owner and string.sub(owner, 1, #ARGV[3]) ~= ARGV[3] then return false end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('HGETALL', KEYS[2])`);

/** Goes on owning a partition.
 *
 *  Input: KEYS owner, requests, done; ARGV token, milliseconds, the time by Redis's clock, the last entry that was read,
 *         the oldest entry in hand (or '').
 *  Output: the length of the stream, and an entry that was read past and is not in hand (or ''); nil where the partition
 *          is ours no more.
 *  It looks only for entries that should not be there, and so copies no payload. The id of a done request is forgotten
 *  only when no entry is left that could be the same request, sent again. */
export const renewPartition: Script<[length: number, forgotten: string] | null> = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local position, oldest = ARGV[4], ARGV[5]
local length = redis.call('XLEN', KEYS[2])
local forgotten = redis.call('XRANGE', KEYS[2], '-', oldest == '' and position or '(' .. oldest, 'COUNT', 1)[1]
local waits_since = oldest ~= '' and tonumber(string.match(oldest, '^%d+'))
if (oldest ~= '' or length == 0) and not forgotten then
  local since = math.min(tonumber(ARGV[3]), waits_since or math.huge)
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%d', since - ${DONE_TTL_MS}))
end
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -${DONE_CAP + 1})
redis.call('PEXPIRE', KEYS[3], ${NOTES_TTL_MS})
return { length, forgotten and forgotten[1] or '' }`);

/** Gives a partition back, if it is ours. Input: KEYS owner; ARGV token. */
export const releasePartition: Script<0 | 1> = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);
