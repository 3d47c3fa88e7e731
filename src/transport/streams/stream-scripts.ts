import { Script } from '../../redis/index.ts';

/* stream-scripts.ts: the atomic steps of a partition's stream. All keys of a partition share a slot.
 *
 * What stands in a stream is exactly what is not done: a request leaves it in the same step that does it. */

/** How long the ids of done requests are remembered, in milliseconds: a producer that tries again counts once. */
export const DONE_TTL_MS = 60_000;
/** How many of them a partition remembers; a renewal drops the oldest of what is more. */
export const DONE_CAP = 10_000;
/** How many requests that were given up a partition keeps, about. */
export const DEAD_LETTER_CAP = 1_000;
// What a partition notes beside its stream must outlive a service that is away.
const NOTES_TTL_MS = 24 * 3_600_000;

/** Adds a request, unless the stream is full.
 *
 *  Input: KEYS requests; ARGV the most entries, fields and values. Output: the entry's id, or nil where it is full. */
export const addEntry: Script<string | null> = new Script(`
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return false end
return redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))`);

/** Takes a partition that nobody owns, or this instance under a token that it has given up.
 *
 *  Input: KEYS owner, tries; ARGV token, milliseconds, what this instance's tokens begin with.
 *  Output: the tries of entries, ids and counts in turn, where it is ours now; else nil.
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
 *  Input: KEYS owner, requests, done; ARGV token, milliseconds, the time by Redis's clock.
 *  Output: the length of the stream and its oldest entry (or ''), or nil where the partition is ours no more.
 *  The id of a done request is forgotten only when no entry is left that could be the same request, sent again. */
export const renewPartition: Script<[length: number, oldest: string] | null> = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local since = tonumber(ARGV[3])
if oldest then since = math.min(since, tonumber(string.match(oldest[1], '^%d+'))) end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%d', since - ${DONE_TTL_MS}))
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -${DONE_CAP + 1})
redis.call('PEXPIRE', KEYS[3], ${NOTES_TTL_MS})
return { redis.call('XLEN', KEYS[2]), oldest and oldest[1] or '' }`);

/** Gives a partition back, if it is ours. Input: KEYS owner; ARGV token. */
export const releasePartition: Script<0 | 1> = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

/** Counts a try before it is made, or takes it back.
 *
 *  Input: KEYS owner, tries; ARGV token, entry, 1 or -1.
 *  Output: how many there are now, or -1 where the partition is ours no more. It writes first what changes nothing, as
 *  taking a partition does. */
export const countTry: Script<number> = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
redis.call('PERSIST', KEYS[2])
local count = redis.call('HINCRBY', KEYS[2], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ${NOTES_TTL_MS})
if count <= 0 then redis.call('HDEL', KEYS[2], ARGV[2]) end
return math.max(count, 0)`);

/** What a step on an entry answers where it was not done. */
export const REFUSED = {
  /** Another instance owns the partition now. */
  notOwner: 'SWNOTOWNER',
  /** The entry is not there any more. */
  gone: 'SWGONE',
  /** A request of this id was done already. */
  repeated: 'SWREPEATED',
  /** Its effects failed half-way: it was given up, because a second try would count the first half twice. */
  broken: 'SWBROKEN',
} as const;

const OWN_LUA = `
local function refuse(code) return redis.error_reply(code .. ' not done') end
local k, a = #KEYS, #ARGV
local owner, requests, done, tries, dead = KEYS[k - 4], KEYS[k - 3], KEYS[k - 2], KEYS[k - 1], KEYS[k]
local token, id, command, session = ARGV[a - 7], ARGV[a - 6], ARGV[a - 5], ARGV[a - 4]
local request, payload_field, payload, deadline = ARGV[a - 3], ARGV[a - 2], ARGV[a - 1], ARGV[a]
for i = k, k - 4, -1 do KEYS[i] = nil end
for i = a, a - 7, -1 do ARGV[i] = nil end
if redis.call('GET', owner) ~= token then return refuse('${REFUSED.notOwner}') end
if redis.call('XDEL', requests, id) == 0 then return refuse('${REFUSED.gone}') end
redis.call('HDEL', tries, id)
local function bury(reason, ...)
  redis.call('XADD', dead, 'MAXLEN', '~', ${DEAD_LETTER_CAP}, '*', 'c', command, 's', session, 'r', request,
    payload_field, payload, 'd', deadline, 'id', id, 'reason', reason, ...)
end
`;

/* The last three take an entry off its stream: without effects, to the dead letters, or with effects.
 *
 * Input: KEYS the step's, owner, requests, done, tries, dead letters;
 *        ARGV the step's, token, entry, then the entry's command, session, request, `p` or `e`, payload, deadline.
 * Output: what the step answers, else 1; or an error that begins with one of REFUSED.
 * A step reads its own KEYS and ARGV: what is not its own stands behind and is taken off first. */

/** Takes an entry off its stream that has no effects. */
export const dropEntry: Script<unknown> = new Script(`${OWN_LUA}
return 1`);

/** Takes an entry off its stream and puts it to the dead letters. ARGV: the reason in front. */
export const buryEntry: Script<unknown> = new Script(`${OWN_LUA}
bury(ARGV[1])
return 1`);

const commits = new Map<string, Script<unknown>>();

/** The script that takes an entry off its stream together with a step's effects. */
export function commitScript(step: Script<unknown>): Script<unknown> {
  let commit = commits.get(step.hash);
  if (!commit) {
    commit = new Script(`${OWN_LUA}
if redis.call('ZADD', done, 'NX', string.match(id, '^%d+'), session .. ':' .. request) == 0 then return refuse('${REFUSED.repeated}') end
local function effects()
${step.source}
end
local well, answer = pcall(effects)
if well and not (type(answer) == 'table' and answer.err) then return answer end
bury(type(answer) == 'table' and answer.err or tostring(answer), 'half', '1')
return refuse('${REFUSED.broken}')`);
    commits.set(step.hash, commit);
  }
  return commit;
}
