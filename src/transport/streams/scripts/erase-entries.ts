import { defineScript } from '../../../redis/index.ts';

/** Deletes the entries of some subjects from a page of a stream of requests or dead letters: those whose session is one of
 *  them, and those whose payload is one (`identify` carries the session that it merges). `from`: `-`, or `(` and the id of
 *  the last entry of the page before. A page ends after `mostEntries`, or after `mostBytes`.
 *
 *  An owner that has such an entry in hand finds it gone when it commits, and then its effects do not happen. */
export const eraseEntries = defineScript({
  name: 'erase-entries',
  keys: ['stream', 'tries'],
  args: { from: 'text', mostEntries: 'number', mostBytes: 'number' },
  restArgs: 'subject',
  output: `how many were deleted, the id of the last entry of the page (empty: that was the last page), and 1 where others may merge
    a session into a person, else 0`,
  body: `
local is_erased, deleted, looked, bytes, merges = {}, 0, 0, 0, 0
for i = firstSubject, #ARGV do is_erased[ARGV[i]] = true end
while looked < mostEntries and bytes < mostBytes do
  local entry = redis.call('XRANGE', stream, from, '+', 'COUNT', 1)[1]
  if not entry then return { deleted, '', merges } end
  local fields, is_named, may_merge = entry[2], false, false
  for i = 1, #fields, 2 do
    bytes = bytes + #fields[i] + #fields[i + 1]
    if (fields[i] == 's' or fields[i] == 'p') and is_erased[fields[i + 1]] then is_named = true end
    if fields[i] == 'c' and (fields[i + 1] == 'identify' or fields[i + 1] == 'together') then may_merge = true end
  end
  if is_named then
    deleted = deleted + redis.call('XDEL', stream, entry[1])
    redis.call('HDEL', tries, entry[1])
  elseif may_merge then merges = 1 end
  looked, from = looked + 1, '(' .. entry[1]
end
return { deleted, string.sub(from, 2), merges }
`,
}).returns<[deleted: number, last: string, merges: 0 | 1]>();
