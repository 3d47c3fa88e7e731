import { Script } from '../../redis/index.ts';
import { NOTES_TTL_MS } from './stream-scripts.ts';

/* try-scripts.ts: the steps that count tries. The text of an entry's field is described in tries.ts. */

/** Marks a try before it is made.
 *
 *  Input: KEYS owner, tries; ARGV token, entry.
 *  Output: the text of the entry's field, or nil where the partition is ours no more.
 *  PERSIST stands first because a script that has begun to write goes on where Redis is full. */
export const beginTry: Script<string | null> = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
redis.call('PERSIST', KEYS[2])
local text = (redis.call('HGET', KEYS[2], ARGV[2]) or '0') .. ' ' .. ARGV[1]
redis.call('HSET', KEYS[2], ARGV[2], text)
redis.call('PEXPIRE', KEYS[2], ${NOTES_TTL_MS})
return text`);

/** Takes a mark back when its try has ended. Needs no ownership: the process that made the mark lives, and only it may
 *  say so.
 *
 *  Input: KEYS tries; ARGV token, entry, 1 where the try counts as failed, else 0.
 *  Output: the text of the entry's field, or '' where nothing is known against it any more. */
export const endTry: Script<string> = new Script(`
redis.call('PERSIST', KEYS[1])
local failed, marks = tonumber(ARGV[3]), ''
for word in string.gmatch(redis.call('HGET', KEYS[1], ARGV[2]) or '', '%S+') do
  if string.find(word, ':', 1, true) then
    if word ~= ARGV[1] then marks = marks .. ' ' .. word end
  else failed = failed + (tonumber(word) or 0) end
end
if failed == 0 and marks == '' then
  redis.call('HDEL', KEYS[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ${NOTES_TTL_MS})
  return ''
end
local text = string.format('%d', failed) .. marks
redis.call('HSET', KEYS[1], ARGV[2], text)
redis.call('PEXPIRE', KEYS[1], ${NOTES_TTL_MS})
return text`);
