import { defineScript, keysLua } from '../../../redis/index.ts';
import { tryRecordLua } from '../../lua/record-lua.ts';

/** Finds a user's ended sessions that wait for the archive: they have left the user's index, and their records still name
 *  the user. A page of the queue at a time.
 *
 *  `queue`: `ended` for new ones, `failed` for those that the archive did not take. */
export const findWaiting = defineScript({
  name: 'find-waiting',
  uses: [keysLua, tryRecordLua],
  keys: ['ended', 'absent?'],
  args: { namespace: 'text', queue: 'text', user: 'text', cursor: 'text', count: 'number' },
  output: 'the cursor of the next page (0: that was the last), then the sessions',
  body: `
local tag = tag_of(ended)
local page = redis.call('ZSCAN', partition_key(namespace, tag, queue), cursor, 'COUNT', count)
local reply = { page[1] }
for i = 1, #page[2], 2 do
  local session = string.match(page[2][i], '^%S+')
  local _, r = try_record(session_key(namespace, tag, session, 's'))
  if r and r.ended and r.user == user then reply[#reply + 1] = session end
end
return reply
`,
}).returns<[cursor: string, ...sessions: string[]]>();
