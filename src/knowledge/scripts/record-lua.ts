import { hasFlag, READ_SUBJECT_HEADER, SUBJECT_FLAGS, SUBJECT_TOMBSTONE } from '../../redis/index.ts';
import type { MovedRetention } from '../retention.ts';

/* record-lua.ts: parts of the scripts that write a subject's record. They are texts and no functions: a function costs Redis
 * some tenths of a microsecond each time that a script runs, and a view takes five. */

/** The longest pause between two moves of an expiry, in seconds, unless the retention names another. */
const RENEW_SECONDS = 3_600;
/** From so many seconds after its first message on, a subject counts as returned at any message that writes. */
const RETURN_SECONDS = 60;

/** Reads the record of a subject: declares `body` (false for a new subject) and the fields of its head as locals. Needs
 *  `record` and `now`. `nothing`: what the script returns for a subject whose session was ended, and notes nothing. */
export const readRecord = (nothing: string): string => `
local body = redis.call('GET', record)
local flags, views, first, last, window, active, moved, minutes, items, facts = 0, 0, 0, 0, 0, 0, now, 0, 0, 0
if body == '${SUBJECT_TOMBSTONE}' then return ${nothing} end
if body then ${READ_SUBJECT_HEADER} end
`;

/** Declares `due`: whether the expiry is to be moved to the whole retention. At the second message that writes, then when
 *  it was moved `renewSeconds` ago; marks that come with the first page are no second message. Notes it in the head.
 *  `isSecond`: an expression. */
export function decideExpiry(retention: MovedRetention, isSecond = 'false'): string {
  const { seconds, bounceSeconds } = retention;
  const renewSeconds = Math.min(retention.renewSeconds ?? RENEW_SECONDS, seconds / 24);
  const returnSeconds = Math.min(RETURN_SECONDS, bounceSeconds / 2);
  return `
local due = false
if body then
  if ${hasFlag(SUBJECT_FLAGS.returned)} then due = now - moved >= ${renewSeconds} or now < moved
  elseif ${isSecond} or now - moved >= ${returnSeconds} then due, flags = true, flags + ${SUBJECT_FLAGS.returned} end
  if due then moved = now end
end
`;
}

/** Does `work` on the parts beside the record, which was written before it. Where Redis refuses some of it (a missing right,
 *  a key of another type), the record becomes what it was and the step did not happen: else its items would be gone with
 *  their section, and in no part. `undo`: what else is put back. */
export function wholeOrNot({ work, undo }: { readonly work: string; readonly undo: string }): string {
  return `
local whole, why = pcall(function()${work}
end)
if not whole then
  if body then redis.call('SET', record, body, 'KEEPTTL') else redis.call('DEL', record) end${undo}
  -- Not raised again: Redis would put other words in front of its code.
  return redis.error_reply(type(why) == 'table' and why.err or why)
end`;
}
