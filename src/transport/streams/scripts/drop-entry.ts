import { defineScript } from '../../../redis/index.ts';
import { commitLua, ENTRY_ARGS, ENTRY_KEYS, REFUSES } from './commit-lua.ts';

/** Takes an entry without effects off its stream. */
export const dropEntry = defineScript({
  name: 'drop-entry',
  uses: [commitLua],
  keys: ENTRY_KEYS,
  args: ENTRY_ARGS,
  output: `1; ${REFUSES}`,
  body: 'return begin() or take_off(function() end) or 1',
});
