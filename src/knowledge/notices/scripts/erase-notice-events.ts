import { defineScript } from '../../../redis/index.ts';

/** Deletes the events of some topics from a page of the stream. `from`: `-`, or `(` and the id of the last entry of the page
 *  before; `count`: the length of the page. */
export const eraseNoticeEvents = defineScript({
  name: 'erase-notice-events',
  keys: ['stream'],
  args: { from: 'text', count: 'number' },
  restArgs: 'topic',
  output: 'how many were deleted, and the id of the last entry of the page; empty where that was the last page',
  body: `
    local is_erased, deleted = {}, 0
    for i = firstTopic, #ARGV do is_erased[ARGV[i]] = true end
    local page = redis.call('XRANGE', stream, from, '+', 'COUNT', count)
    for _, entry in ipairs(page) do
      local fields = entry[2]
      for i = 1, #fields, 2 do
        if fields[i] == 'to' and is_erased[fields[i + 1]] then
          deleted = deleted + redis.call('XDEL', stream, entry[1])
        end
      end
    end
    return { deleted, #page == count and page[#page][1] or '' }`,
}).returns<[deleted: number, last: string]>();
