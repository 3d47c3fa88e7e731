import { type DefinedScript, defineScript, joinLua, type Script } from '../../../redis/index.ts';
import { BEGIN_TO_WRITE, deadLetterLua, ENTRY_KEYS, REFUSED } from './commit-lua.ts';

/* commit-batch.ts: takes entries off their stream in one step, each together with the effects of its command, or without
 * effects. The lease is checked once.
 *
 * Each entry is a part of its own: all that is done for it, XDEL included, stands in one pcall. A part that fails ends the
 * batch, and the parts behind it are committed later. So a missing right, which every part would meet, costs one entry
 * and not all of them.
 *
 * A step's source stands in the script once, as a function of the KEYS and ARGV of its part. */

/** How many arguments of a part stand before those of its step: its head, entry, session, request, the labels of a dead
 *  letter and the payload. */
const PART_ARGS = 6;
// Lua's stack takes 8,000 values.
const MOST_UNPACKED = 4_000;

/** Writes the head of a part: the number of its step's source (0: no effects), how many keys and arguments the step has,
 *  and whether the request's id is remembered. As bytes below 128, which Lua reads in one call. */
export function encodeHead(source: number, keys: number, args: number, isRemembered: boolean): string {
  return String.fromCharCode(source, keys >> 7, keys & 127, args >> 14, (args >> 7) & 127, args & 127, +isRemembered);
}

/** Defines the script of batches whose steps have these sources. */
export function defineBatch(
  steps: readonly Script<unknown>[],
): DefinedScript<(typeof ENTRY_KEYS)[number], { token: 'text' }, never, unknown[]> {
  return defineScript({
    name: 'commit-batch',
    keys: ENTRY_KEYS,
    args: { token: 'text' },
    restKeys: 'stepKey',
    restArgs: 'part',
    output: `per part 0 and its step's answer, or a text and nil: a code of REFUSED, or Redis's own error, and then nothing
      was done for it. Parts at the end that are left out were not begun. An error where the lease is lost`,
    // What only a failure needs is defined there: each function that is defined costs every call a tenth of a microsecond.
    body: `
    if redis.call('GET', owner) ~= token then return redis.error_reply('${REFUSED.notOwner} not done') end
${BEGIN_TO_WRITE}
    local has_tries = redis.call('EXISTS', tries) == 1
    local steps = {
${steps.map(({ source }) => `function(KEYS, ARGV)\n${source}\nend`).join(',\n')}
    }
    local has_left, refusal
    local function commit(step, is_remembered, entry, session, request, step_keys, step_args)
      local name, fresh = nil, 1
      if is_remembered == 1 then
        name = session .. ':' .. request
        fresh = redis.call('ZADD', done, 'NX', string.match(entry, '^%d+'), name)
      end
      local left = redis.pcall('XDEL', requests, entry)
      if left ~= 1 then
        if name and fresh == 1 then redis.pcall('ZREM', done, name) end
        if left ~= 0 then return left end
        refusal = '${REFUSED.gone} not done'
        return nil
      end
      has_left = true
      if has_tries then redis.pcall('HDEL', tries, entry) end
      if fresh == 0 then
        refusal = '${REFUSED.repeated} not done'
        return nil
      end
      return step and step(step_keys, step_args)
    end
    local answers, count, key, arg, last = {}, 0, firstStepKey, firstPart, #ARGV
    while arg <= last do
      local number, k1, k0, a2, a1, a0, is_remembered = string.byte(ARGV[arg], 1, 7)
      local next_key, next_arg = key + k1 * 128 + k0, arg + ${PART_ARGS} + a2 * 16384 + a1 * 128 + a0
      local entry, session, request = ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 3]
      local step_keys, step_args
      if next_arg - arg <= ${MOST_UNPACKED} then
        step_keys, step_args = { unpack(KEYS, key, next_key - 1) }, { unpack(ARGV, arg + ${PART_ARGS}, next_arg - 1) }
      else
        step_keys, step_args = {}, {}
        for i = key, next_key - 1 do step_keys[i - key + 1] = KEYS[i] end
        for i = arg + ${PART_ARGS}, next_arg - 1 do step_args[i - arg - ${PART_ARGS - 1}] = ARGV[i] end
      end
      has_left, refusal = false, nil
      local well, answer = pcall(commit, steps[number], is_remembered, entry, session, request, step_keys, step_args)
      if refusal then
        answers[count + 1], answers[count + 2] = refusal, false
      elseif well and not (type(answer) == 'table' and answer.err ~= nil) then
        answers[count + 1], answers[count + 2] = 0, answer or false
      else
        local why = type(answer) == 'table' and answer.err or tostring(answer)
        if has_left then
${joinLua([deadLetterLua])}
          local command, field, deadline = string.match(ARGV[arg + 4], '^(%S+) (%S+) (%S+)$')
          local letter = add_dead_letter(entry, command, session, request, field, ARGV[arg + 5], deadline, why, 'half', '1')
          if type(letter) == 'table' then why = why .. '; and it could not be kept as a dead letter: ' .. letter.err end
          why = '${REFUSED.broken} ' .. why
        end
        answers[count + 1], answers[count + 2] = why, false
        break
      end
      count, key, arg = count + 2, next_key, next_arg
    end
    return answers`,
  }).returns<unknown[]>();
}
