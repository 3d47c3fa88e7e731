import { defineScript } from '../../../redis/index.ts';
import { NOTES_TTL_MS } from './notes-ttl.ts';

/** Takes a mark back when its try has ended. It needs no lease: the process that made the mark lives, and no other
 *  process may take it back. */
export const endTry = defineScript({
  name: 'end-try',
  keys: ['tries'],
  args: { token: 'text', entry: 'text', hasFailed: 'flag' },
  output: "the text of the entry's field; '' where the entry has no tries any more",
  body: `
    redis.call('PERSIST', tries)
    local failed, marks = hasFailed and 1 or 0, ''
    for word in string.gmatch(redis.call('HGET', tries, entry) or '', '%S+') do
      if string.find(word, ':', 1, true) then
        if word ~= token then marks = marks .. ' ' .. word end
      else failed = failed + (tonumber(word) or 0) end
    end
    if failed == 0 and marks == '' then
      redis.call('HDEL', tries, entry)
      redis.call('PEXPIRE', tries, ${NOTES_TTL_MS})
      return ''
    end
    local text = string.format('%d', failed) .. marks
    redis.call('HSET', tries, entry, text)
    redis.call('PEXPIRE', tries, ${NOTES_TTL_MS})
    return text`,
}).returns<string>();
