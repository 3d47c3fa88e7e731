import { defineScript } from '../../../redis/index.ts';
import { NOTES_TTL_MS } from './notes-ttl.ts';

/** Marks a try before it is made. tries.ts describes the text of the entry's field.
 *
 *  PERSIST comes first because a script that has begun to write goes on where Redis is full. */
export const beginTry = defineScript({
  name: 'begin-try',
  keys: ['owner', 'tries'],
  args: { token: 'text', entry: 'text' },
  output: "the text of the entry's field; nil where the lease is lost",
  body: `
    if redis.call('GET', owner) ~= token then return false end
    redis.call('PERSIST', tries)
    local text = (redis.call('HGET', tries, entry) or '0') .. ' ' .. token
    redis.call('HSET', tries, entry, text)
    redis.call('PEXPIRE', tries, ${NOTES_TTL_MS})
    return text`,
}).returns<string | null>();
