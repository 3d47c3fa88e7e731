import { defineScript } from '../../../redis/index.ts';

/** A dead letter as it was read: its id, then fields and values in turn. */
export type RawLetter = readonly [id: string, fields: readonly string[]];

/** Reads letters, the newest first. Payloads above `longestShown` bytes do not leave Redis.
 *
 *  Entry by entry, because the sizes of letters are not known before. */
export const readDeadLetters = defineScript({
  name: 'read-dead-letters',
  keys: ['deadLetters'],
  args: { newest: 'text', mostLetters: 'number', mostBytes: 'number', longestShown: 'number' },
  output: 'per letter its id, fields and values; in place of a longer payload the field `bytes`',
  body: `
    local page, bytes = {}, 0
    while #page < mostLetters and bytes < mostBytes do
      local entry = redis.call('XREVRANGE', deadLetters, newest, '-', 'COUNT', 1)[1]
      if not entry then break end
      local found = {}
      for i = 1, #entry[2], 2 do
        local name, value = entry[2][i], entry[2][i + 1]
        bytes = bytes + #name + #value
        if #value <= longestShown then found[name] = value
        elseif name == 'p' or name == 'e' then found.bytes = tostring(#value) end
      end
      local fields = {}
      for _, name in ipairs({ 'c', 's', 'r', 'p', 'e', 'reason', 'bytes' }) do
        if found[name] then fields[#fields + 1], fields[#fields + 2] = name, found[name] end
      end
      page[#page + 1] = { entry[1], fields }
      newest = '(' .. entry[1]
    end
    return page`,
}).returns<RawLetter[]>();
