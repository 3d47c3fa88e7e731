import { defineScript, hasFlag, PACK_SUBJECT_HEADER, SUBJECT_FLAGS, SUBJECT_HEADER_BYTES } from '../../redis/index.ts';
import type { MovedRetention, SubjectKind } from '../retention.ts';
import { checkExactLimit, type SeenItemsOptions } from '../seen-items-options.ts';
import { ITEM_SIZE, largeItemsLua } from './large-items-lua.ts';
import { MINUTE_SIZE } from './minutes-lua.ts';
import { partsLua } from './parts-lua.ts';
import { decideExpiry, readRecord, wholeOrNot } from './record-lua.ts';

/** Makes the script that marks items as seen. Items: encrypted for the subject; `now`: the time by Redis's clock, in seconds
 *  of the epoch. */
export function markItemsScript(options: SeenItemsOptions, retention: MovedRetention, of: SubjectKind = 'session') {
  const exactLimit = checkExactLimit(options.exactLimit);
  return defineScript({
    name: 'mark-items',
    uses: [partsLua, largeItemsLua(options)],
    keys: ['record', 'absent?'],
    args: { now: 'number' },
    restArgs: 'item',
    output: `per item 1 where it was seen before, else 0, then 1 where the session is claimed
      or the person has filters beside its own; nothing where the session has
      ended`,
    body: `
${readRecord('{}')}
local answers, section, added = {}, '', {}
local is_large = ${hasFlag(SUBJECT_FLAGS.largeItems)}
local items_from = ${SUBJECT_HEADER_BYTES} + facts + ${MINUTE_SIZE} * minutes
local items_end = items_from + ${ITEM_SIZE} * items
if not is_large then
  local held = {}
  section = body and string.sub(body, items_from + 1, items_end) or ''
  for at = 1, #section, ${ITEM_SIZE} do held[string.sub(section, at, at + ${ITEM_SIZE - 1})] = true end
  for i = firstItem, #ARGV do
    local item = ARGV[i]
    answers[#answers + 1] = held[item] and 1 or 0
    if not held[item] then added[#added + 1] = item end
    held[item] = true
  end
  section = section .. table.concat(added)
end
local outgrown = not is_large and items + #added > ${exactLimit}
if outgrown then flags = flags + ${SUBJECT_FLAGS.largeItems} end
${decideExpiry(retention)}
items = (is_large or outgrown) and 0 or items + #added
-- First, because Redis refuses the first write where it is full, and then nothing was done.
local head = ${PACK_SUBJECT_HEADER}
if not body then redis.call('SET', record, head .. (outgrown and '' or section), 'EX', ${retention.bounceSeconds})
elseif outgrown or #added > 0 then
  redis.call('SET', record, head .. string.sub(body, ${SUBJECT_HEADER_BYTES + 1}, items_from) .. (outgrown and '' or section)
    .. string.sub(body, items_end + 1), 'KEEPTTL')
elseif due then redis.call('SETRANGE', record, 0, head) end
if outgrown or is_large then
${wholeOrNot({
  work: `
  if outgrown then large_from('i', section)
  else for i = firstItem, #ARGV do answers[#answers + 1] = large_add('i', ARGV[i]) end end`,
  undo: `
  if outgrown then redis.pcall('DEL', part('i'), part('iu')) end`,
})}
end
if due then renew(flags, ${retention.seconds}) end
if ${hasFlag(SUBJECT_FLAGS.claimed)} then
  ${of === 'session' ? 'note_late(now)' : ''}
  answers[#answers + 1] = 1
end
return answers`,
  }).returns<number[]>();
}
