import { defineLua, packSubjectHeaderLua, READ_SUBJECT_HEADER } from '../../redis/index.ts';

/** The longest pause between two moves of an expiry, in seconds. */
const RENEW_SECONDS = 3_600;
/** From so many seconds after its first message on, a subject counts as returned at any message that writes. */
const RETURN_SECONDS = 60;

/** Reads the record of a subject: declares `body` (false for a new subject) and the fields of its head as locals. Needs
 *  `record` and `now`. A text for the body of a script, and not a function: that would return ten values. */
export const READ_RECORD = `
local body = redis.call('GET', record)
local flags, views, first, last, window, active, moved, minutes, items = 0, 0, 0, 0, 0, 0, now, 0, 0
if body then ${READ_SUBJECT_HEADER} end
`;

/** `expiry_due(flags, moved, is_second)` -> whether the expiry is to be moved to the whole retention: at the second message
 *  that writes, then when it was moved an hour ago. Marks that come with the first page are no second message. Needs
 *  `now`, `retentionSeconds` and `bounceSeconds`. */
export const recordLua = defineLua({
  name: 'record',
  uses: [packSubjectHeaderLua],
  source: `
local function expiry_due(flags, moved, is_second)
  if flags % 2 == 0 then return is_second or now - moved >= math.min(${RETURN_SECONDS}, bounceSeconds / 2) end
  return now - moved >= math.min(${RENEW_SECONDS}, retentionSeconds / 24) or now < moved
end
`,
});
