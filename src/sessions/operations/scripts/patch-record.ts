import { defineScript, type ScriptArgument } from '../../../redis/index.ts';
import type { RecordPatch } from '../../record/record-patch.ts';

/** Saves a large session that nothing has touched since it was loaded, as `replaceRecord` does, by its changed fields
 *  alone. Where no length changes, Redis writes them in place, and its log of writes (AOF) has them alone too. Where one
 *  does, it writes the record anew: to move its end within the string would let Redis reserve twice the memory.
 *
 *  `length`: of the whole record as it was loaded, in bytes. A splice is four arguments: where it begins in the record, the
 *  bytes that stand there and stay, how many behind them are replaced, and by what. */
export const patchRecord = defineScript({
  name: 'patch-record',
  keys: ['record'],
  args: { loadedHeader: 'text', nextHeader: 'text', length: 'number' },
  restArgs: 'splice',
  statuses: { done: 1, conflict: -1 },
  output: 'done; conflict: the record is another one now, or gone, and save-record has to look closer',
  body: (status) => `
if redis.call('GETRANGE', record, 0, #loadedHeader - 1) ~= loadedHeader then return ${status.conflict} end
if #redis.call('GETRANGE', record, length - 1, -1) ~= 1 then return ${status.conflict} end
local keeps_lengths = true
for i = firstSplice, #ARGV, 4 do
  local at, behind = tonumber(ARGV[i]), ARGV[i + 1]
  if behind ~= '' and redis.call('GETRANGE', record, at, at + #behind - 1) ~= behind then return ${status.conflict} end
  if tonumber(ARGV[i + 2]) ~= #ARGV[i + 3] then keeps_lengths = false end
end
if keeps_lengths then
  redis.call('SETRANGE', record, 0, nextHeader)
  for i = firstSplice, #ARGV, 4 do
    if ARGV[i + 3] ~= '' then redis.call('SETRANGE', record, ARGV[i] + #ARGV[i + 1], ARGV[i + 3]) end
  end
  return ${status.done}
end
local parts, from = { nextHeader }, #loadedHeader
for i = firstSplice, #ARGV, 4 do
  local to = ARGV[i] + #ARGV[i + 1]
  if to > from then parts[#parts + 1] = redis.call('GETRANGE', record, from, to - 1) end
  parts[#parts + 1] = ARGV[i + 3]
  from = to + ARGV[i + 2]
end
parts[#parts + 1] = redis.call('GETRANGE', record, from, -1)
redis.call('SET', record, table.concat(parts), 'KEEPTTL')
return ${status.done}
`,
});

/** Makes the arguments of a patch's splices, of a record with a header of `headerLength` bytes. */
export function spliceArguments({ splices }: RecordPatch, headerLength: number): ScriptArgument[] {
  return splices.flatMap(({ at, behind, replaced, by }) => [headerLength + at, behind, replaced, by]);
}
