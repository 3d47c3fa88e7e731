import { defineScript } from '../../../redis/index.ts';
import { BEGIN_TO_WRITE, deadLetterLua, ENTRY_KEYS, REFUSED } from './commit-lua.ts';

/** Takes an entry off its stream and adds it to the dead letters. `payloadField`: `p`, `e`, or `bytes` where the payload
 *  was not read. */
export const deadLetterEntry = defineScript({
  name: 'dead-letter-entry',
  uses: [deadLetterLua],
  keys: ENTRY_KEYS,
  args: {
    token: 'text',
    entry: 'text',
    command: 'text',
    session: 'text',
    request: 'text',
    payloadField: 'text',
    payload: 'text',
    deadlineMs: 'number',
    reason: 'text',
  },
  output: "1; or an error: a code of REFUSED, or Redis's own, and then nothing was done",
  body: `
    if redis.call('GET', owner) ~= token then return redis.error_reply('${REFUSED.notOwner} not done') end
    ${BEGIN_TO_WRITE}
    local letter = add_dead_letter(entry, command, session, request, payloadField, payload, deadlineMs, reason)
    if type(letter) == 'table' then return letter end
    local left = redis.pcall('XDEL', requests, entry)
    if left == 1 then
      redis.pcall('HDEL', tries, entry)
      return 1
    end
    redis.pcall('XDEL', deadLetters, letter)
    return left == 0 and redis.error_reply('${REFUSED.gone} not done') or left`,
});
