import { defineScript } from '../../../redis/index.ts';
import { commitLua, ENTRY_ARGS, ENTRY_KEYS, REFUSES } from './commit-lua.ts';

/** Takes an entry off its stream and adds it to the dead letters. */
export const deadLetterEntry = defineScript({
  name: 'dead-letter-entry',
  uses: [commitLua],
  keys: ENTRY_KEYS,
  args: { ...ENTRY_ARGS, reason: 'text' },
  output: `1; ${REFUSES}`,
  body: `
    local refusal = begin()
    if refusal then return refusal end
    local letter = dead_letter(reason)
    if is_error(letter) then return letter end
    return take_off(function() redis.pcall('XDEL', deadLetters, letter) end) or 1`,
});
