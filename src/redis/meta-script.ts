import { defineScript } from './define-script.ts';

/** Sets the meta record of a namespace where it is absent, all of it or nothing: two first starts cannot each set a part.
 *  `provesWrites`: it fails where Redis takes no writes, by a write that changes nothing, because each record has a
 *  format. */
export const claimMeta = defineScript({
  name: 'claim-meta',
  keys: ['meta'],
  args: { format: 'number', partitions: 'number', filter: 'text', fingerprint: 'text', provesWrites: 'flag' },
  output: 'the record as a flat list of fields and values, as it is now',
  body: `
    if redis.call('EXISTS', meta) == 0 then
      redis.call('HSET', meta, 'format', format, 'partitions', partitions, 'filter', filter, 'fingerprint', fingerprint)
    end
    if provesWrites then redis.call('HSETNX', meta, 'format', '') end
    return redis.call('HGETALL', meta)`,
}).returns<string[]>();
