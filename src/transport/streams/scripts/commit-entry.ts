import { defineStepWrapper } from '../../../redis/index.ts';
import { commitLua, ENTRY_ARGS, ENTRY_KEYS, REFUSED, REFUSES } from './commit-lua.ts';

/** Takes an entry off its stream together with a step's effects. */
export const commitEntry = defineStepWrapper({
  name: 'commit-entry',
  uses: [commitLua],
  keys: ENTRY_KEYS,
  args: ENTRY_ARGS,
  output: `the step's answer; ${REFUSES}`,
  body: (stepSource) => `
    local refusal = begin()
    if refusal then return refusal end
    local name = session .. ':' .. request
    local fresh = redis.call('ZADD', done, 'NX', string.match(entry, '^%d+'), name)
    refusal = take_off(function() if fresh == 1 then redis.pcall('ZREM', done, name) end end)
    if refusal then return refusal end
    if fresh == 0 then return refuse('${REFUSED.repeated}') end
    local function effects()
${stepSource}
    end
    local well, answer = pcall(effects)
    if well and not is_error(answer) then return answer end
    local why = type(answer) == 'table' and answer.err or tostring(answer)
    local letter = dead_letter(why, 'half', '1')
    if is_error(letter) then why = why .. '; and it could not be kept as a dead letter: ' .. letter.err end
    return refuse('${REFUSED.broken}', why)`,
});
