import { Script } from '../../../redis/index.ts';

/** Saves a session that nothing has touched since it was loaded: most saves.
 *
 *  Input: KEYS record; ARGV the header that was loaded, the record that follows it.
 *  Output: 1 where it was replaced; 0 where it is another by now, or gone: then `saveRecord` looks closer. The end stays
 *  where it is, so one that has passed meanwhile has passed. */
export const replaceRecord: Script<0 | 1> = new Script(`
if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1`);
