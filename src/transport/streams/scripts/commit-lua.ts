import { defineLua, type LuaText } from '../../../redis/index.ts';

/* commit-lua.ts: what the steps share that take an entry off its stream: without effects (drop-entry.ts), to the dead
 * letters (dead-letter-entry.ts), or with effects (commit-entry.ts).
 * A stream holds exactly the requests that are not done: a request leaves it in the same step that does it.
 *
 * A script has no way back. So all commands that Redis may refuse (a missing right, a key of a wrong type) come before the
 * entry leaves the stream, or are undone. Only the effects themselves come after it, and where they fail the entry goes
 * to the dead letters. */

/** How many dead letters a partition keeps, about. */
export const DEAD_LETTER_CAP = 1_000;

/** The codes of a commit's errors; Redis's own errors begin with none of them. */
export const REFUSED = {
  /** Another instance owns the partition now. */
  notOwner: 'SWNOTOWNER',
  /** The entry is not in the stream any more. */
  gone: 'SWGONE',
  /** A request of this id was done already. */
  repeated: 'SWREPEATED',
  /** Its effects failed half-way: it became a dead letter, because a second try would count the first half twice. */
  broken: 'SWBROKEN',
} as const;

/** The keys of an entry's partition. */
export const ENTRY_KEYS = ['owner', 'requests', 'done', 'tries', 'deadLetters'] as const;

/** An entry, and the token of the ownership. `payloadField`: `p`, `e`, or `bytes` where the payload was not read. */
export const ENTRY_ARGS = {
  token: 'text',
  entry: 'text',
  command: 'text',
  session: 'text',
  request: 'text',
  payloadField: 'text',
  payload: 'text',
  deadlineMs: 'number',
} as const;

/** What the steps that take an entry off its stream share. */
export const commitLua: LuaText = defineLua({
  name: 'commit',
  source: `
local function refuse(code, why) return redis.error_reply(code .. ' ' .. (why or 'not done')) end
local function is_error(answer) return type(answer) == 'table' and answer.err ~= nil end

-- Checks the lease and begins to write, or returns a refusal. HDEL of an absent field, because a script that has begun to
-- write goes on where Redis is full: deny-oom looks at the first write only, and HDEL is not subject to it.
local function begin()
  if redis.call('GET', owner) ~= token then return refuse('${REFUSED.notOwner}') end
  redis.call('HDEL', tries, '')
  return nil
end

-- Returns the id of the dead letter, or an error.
local function dead_letter(reason, ...)
  return redis.pcall('XADD', deadLetters, 'MAXLEN', '~', ${DEAD_LETTER_CAP}, '*', 'c', command, 's', session,
    'r', request, payloadField, payload, 'd', deadlineMs, 'id', entry, 'reason', reason, ...)
end

-- Takes the entry off its stream, or calls undo and returns a refusal.
local function take_off(undo)
  local left = redis.pcall('XDEL', requests, entry)
  if left == 1 then
    redis.pcall('HDEL', tries, entry)
    return nil
  end
  undo()
  return is_error(left) and left or refuse('${REFUSED.gone}')
end
`,
});

/** How the outputs of these steps go on. */
export const REFUSES = "or an error that begins with a code of REFUSED; or Redis's own, and then nothing was done";
