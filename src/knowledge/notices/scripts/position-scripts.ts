import { defineScript } from '../../../redis/index.ts';

/* position-scripts.ts: the steps on the positions of one notice: a hash, hash of the list -> number. */

/** Notes under which number a list holds a notice, unless a later one is noted. */
export const notePosition = defineScript({
  name: 'note-position',
  keys: ['positions'],
  args: { list: 'text', sequence: 'text' },
  output: 'nothing',
  body: `
    local noted = redis.call('HGET', positions, list)
    if not noted or tonumber(noted) < tonumber(sequence) then redis.call('HSET', positions, list, sequence) end`,
});

/** Forgets the number under which a list held a notice, unless another one is noted by now. */
export const dropPosition = defineScript({
  name: 'drop-position',
  keys: ['positions'],
  args: { list: 'text', sequence: 'text' },
  output: 'nothing',
  body: `
    if redis.call('HGET', positions, list) == sequence then redis.call('HDEL', positions, list) end`,
});
