import { defineScript } from '../../../redis/index.ts';

/** Reads what a claimed session did with notices, in one step with its number: of two readings the higher number is the
 *  later one. */
export const readClaimedNotices = defineScript({
  name: 'read-claimed-notices',
  keys: ['claim', 'states', 'foreign', 'own', 'absent?'],
  buffers: true,
  output: `when the session was claimed, and its number (both null where it is not claimed any more); what it did with notices
    of lists, by list; the ids of foreign ones; the notices to it alone, by field`,
  body: `
local at, number = unpack(redis.call('HMGET', claim, 'at', 'dirty'))
return { at, number, redis.call('HGETALL', states), redis.call('ZRANGE', foreign, 0, -1), redis.call('HGETALL', own) }
`,
}).returns<[at: Buffer | null, number: Buffer | null, states: Buffer[], foreign: Buffer[], own: Buffer[]]>();
