import { defineScript } from '../../../redis/index.ts';
import { recordLua } from '../../lua/record-lua.ts';

/** Deletes connect-redis' record of a session that has ended. */
export const dropMirror = defineScript({
  name: 'drop-mirror',
  uses: [recordLua],
  keys: ['record', 'base'],
  output: 'how many records were deleted: 0 where the session lives, or was not mirrored',
  body: `
local key, r = redis.call('HGET', base, 'key'), read_record(record)
if not key or (r and not r.ended) then return 0 end
-- In this order: where a right for connect-redis' keys is missing, the next try still finds the key.
local dropped = redis.call('UNLINK', key)
redis.call('UNLINK', base)
return dropped
`,
}).returns<number>();
