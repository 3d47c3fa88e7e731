import { defineScript } from '../../../redis/index.ts';

/** Deletes the lifecycle events of some sessions from a page of a stream. `from`: `-`, or `(` and the id of the last entry
 *  of the page before; `count`: the length of the page. */
export const eraseEvents = defineScript({
  name: 'erase-events',
  keys: ['stream'],
  args: { from: 'text', count: 'number' },
  restArgs: 'session',
  output: 'how many were deleted, and the id of the last entry of the page; empty where that was the last page',
  body: `
local is_erased, deleted = {}, 0
for i = firstSession, #ARGV do is_erased[ARGV[i]] = true end
local page = redis.call('XRANGE', stream, from, '+', 'COUNT', count)
for _, entry in ipairs(page) do
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == 'session' and is_erased[fields[i + 1]] then
      deleted = deleted + redis.call('XDEL', stream, entry[1])
    end
  end
end
return { deleted, #page == count and page[#page][1] or '' }
`,
}).returns<[deleted: number, last: string]>();
