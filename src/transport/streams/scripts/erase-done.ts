import { defineScript } from '../../../redis/index.ts';

/** Deletes the ids of requests of some subjects from a page of those that were done recently (`<session>:<request id>`). */
export const eraseDone = defineScript({
  name: 'erase-done',
  keys: ['done'],
  args: { cursor: 'text', count: 'number' },
  restArgs: 'subject',
  output: 'the cursor of the next page (0: that was the last), and how many were deleted',
  body: `
local is_erased, deleted = {}, 0
for i = firstSubject, #ARGV do is_erased[ARGV[i]] = true end
local page = redis.call('ZSCAN', done, cursor, 'COUNT', count)
for i = 1, #page[2], 2 do
  if is_erased[string.match(page[2][i], '^[^:]*')] then deleted = deleted + redis.call('ZREM', done, page[2][i]) end
end
return { page[1], deleted }
`,
}).returns<[cursor: string, deleted: number]>();
