import { Script } from '../../redis/index.ts';

/* commit-scripts.ts: the steps that take an entry off its stream: without effects, to the dead letters, or with effects.
 * What stands in a stream is exactly what is not done: a request leaves it in the same step that does it.
 *
 * A script has no way back. So everything that Redis may refuse (a missing right, a key of a wrong type) comes before the
 * entry leaves the stream, or is undone; only the effects themselves come after it, and where they fail the entry goes to
 * the dead letters. An HDEL of nothing stands first, because a script that has begun to write goes on where Redis is full:
 * `deny-oom` looks at the first write only, and HDEL is not subject to it. */

/** How many requests that were given up a partition keeps, about. */
export const DEAD_LETTER_CAP = 1_000;

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
local function refuse(code, why) return redis.error_reply(code .. ' ' .. (why or 'not done')) end
local k, a = #KEYS, #ARGV
local owner, requests, done, tries, dead = KEYS[k - 4], KEYS[k - 3], KEYS[k - 2], KEYS[k - 1], KEYS[k]
local token, id, command, session = ARGV[a - 7], ARGV[a - 6], ARGV[a - 5], ARGV[a - 4]
local request, payload_field, payload, deadline = ARGV[a - 3], ARGV[a - 2], ARGV[a - 1], ARGV[a]
for i = k, k - 4, -1 do KEYS[i] = nil end
for i = a, a - 7, -1 do ARGV[i] = nil end
if redis.call('GET', owner) ~= token then return refuse('${REFUSED.notOwner}') end
redis.call('HDEL', tries, '')
local function dead_letter(reason, ...)
  return redis.pcall('XADD', dead, 'MAXLEN', '~', ${DEAD_LETTER_CAP}, '*', 'c', command, 's', session, 'r', request,
    payload_field, payload, 'd', deadline, 'id', id, 'reason', reason, ...)
end
local function is_error(answer) return type(answer) == 'table' and answer.err ~= nil end
-- Takes the entry off its stream, or calls undo and returns why not.
local function take_off(undo)
  local left = redis.pcall('XDEL', requests, id)
  if left == 1 then
    redis.pcall('HDEL', tries, id)
    return nil
  end
  undo()
  return is_error(left) and left or refuse('${REFUSED.gone}')
end
`;

/* Input: KEYS the step's, owner, requests, done, tries, dead letters;
 *        ARGV the step's, token, entry, then the entry's command, session, request, name and value of its payload
 *        (`p`, `e`, or `bytes` in its place), deadline.
 * Output: what the step answers, else 1; or an error that begins with one of REFUSED; or Redis's own, and then nothing
 *         was done.
 * A step reads its own KEYS and ARGV: what is not its own stands behind and is taken off first. */

/** Takes an entry off its stream that has no effects. */
export const dropEntry: Script<unknown> = new Script(`${OWN_LUA}
return take_off(function() end) or 1`);

/** Takes an entry off its stream and puts it to the dead letters. ARGV: the reason in front. */
export const deadLetterEntry: Script<unknown> = new Script(`${OWN_LUA}
local letter = dead_letter(ARGV[1])
if is_error(letter) then return letter end
return take_off(function() redis.pcall('XDEL', dead, letter) end) or 1`);

const commits = new Map<string, Script<unknown>>();

/** The script that takes an entry off its stream together with a step's effects. */
export function commitScript(step: Script<unknown>): Script<unknown> {
  let commit = commits.get(step.hash);
  if (!commit) {
    commit = new Script(`${OWN_LUA}
local name = session .. ':' .. request
local fresh = redis.call('ZADD', done, 'NX', string.match(id, '^%d+'), name)
local refusal = take_off(function() if fresh == 1 then redis.pcall('ZREM', done, name) end end)
if refusal then return refusal end
if fresh == 0 then return refuse('${REFUSED.repeated}') end
local function effects()
${step.source}
end
local well, answer = pcall(effects)
if well and not is_error(answer) then return answer end
local why = type(answer) == 'table' and answer.err or tostring(answer)
local letter = dead_letter(why, 'half', '1')
if is_error(letter) then why = why .. '; and it could not be kept as a dead letter: ' .. letter.err end
return refuse('${REFUSED.broken}', why)`);
    commits.set(step.hash, commit);
  }
  return commit;
}
