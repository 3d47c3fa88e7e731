import { defineLua, type LuaText } from '../../../redis/index.ts';

/* commit-lua.ts: what the steps share that take entries off their stream: with effects or without (commit-batch.ts), or to
 * the dead letters (dead-letter-entry.ts).
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

/** Begins to write, without an effect: HDEL of an absent field. A script that has begun to write goes on where Redis is
 *  full, because deny-oom looks at the first write only, and HDEL is not subject to it. */
export const BEGIN_TO_WRITE = "redis.call('HDEL', tries, '')";

/** Adds an entry to the dead letters. Returns the id there, or an error. */
export const deadLetterLua: LuaText = defineLua({
  name: 'dead-letter',
  source: `
local function add_dead_letter(entry, command, session, request, payloadField, payload, deadlineMs, reason, ...)
  return redis.pcall('XADD', deadLetters, 'MAXLEN', '~', ${DEAD_LETTER_CAP}, '*', 'c', command, 's', session,
    'r', request, payloadField, payload, 'd', deadlineMs, 'id', entry, 'reason', reason, ...)
end
`,
});
