import { defineScript } from '../../../redis/index.ts';

/** Finds, in a page of a stream of requests or dead letters, the requests that may merge a session into a person. `from`: `-`,
 *  or `(` and the id of the last entry of the page before. A page ends after `mostEntries`, or after `mostBytes`. */
export const findMerges = defineScript({
  name: 'find-merges',
  keys: ['stream'],
  args: { from: 'text', mostEntries: 'number', mostBytes: 'number' },
  output:
    'the id of the last entry of the page (empty: that was the last page), then per request its id and its fields',
  body: `
local found, looked, bytes = {}, 0, 0
while looked < mostEntries and bytes < mostBytes do
  local entry = redis.call('XRANGE', stream, from, '+', 'COUNT', 1)[1]
  if not entry then return { '', unpack(found) } end
  local fields, merges = entry[2], false
  for i = 1, #fields, 2 do
    bytes = bytes + #fields[i] + #fields[i + 1]
    if fields[i] == 'c' and (fields[i + 1] == 'identify' or fields[i + 1] == 'together') then merges = true end
  end
  if merges then found[#found + 1] = entry end
  looked, from = looked + 1, '(' .. entry[1]
end
return { string.sub(from, 2), unpack(found) }
`,
}).returns<[last: string, ...entries: [id: string, fields: string[]][]]>();
