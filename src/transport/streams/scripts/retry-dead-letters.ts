import { defineScript } from '../../../redis/index.ts';

/** Puts dead letters back at the end of their stream, to be done and not to be answered: the client waits no more. A
 *  letter without a request stays. `newest`: '' for the newest that there is.
 *
 *  Effects that broke half-way count as done, so the request's id is forgotten then. Else the id stays: its twin, sent
 *  again under the same id, may have been done meanwhile. */
export const retryDeadLetters = defineScript({
  name: 'retry-dead-letters',
  keys: ['deadLetters', 'requests', 'done'],
  args: { oldest: 'text', newest: 'text', mostLetters: 'number', mostBytes: 'number' },
  output: "the id to go on from ('' at the end), the newest id, how many were put back, how many were left",
  body: `
    local bytes, retried, skipped = 0, 0, 0
    if newest == '' then
      local last = redis.call('XREVRANGE', deadLetters, '+', '-', 'COUNT', 1)[1]
      if not last then return { '', '', 0, 0 } end
      newest = last[1]
    end
    while retried + skipped < mostLetters and bytes < mostBytes do
      local entry = redis.call('XRANGE', deadLetters, oldest, newest, 'COUNT', 1)[1]
      if not entry then return { '', newest, retried, skipped } end
      local found = {}
      for i = 1, #entry[2], 2 do
        found[entry[2][i]] = entry[2][i + 1]
        bytes = bytes + #entry[2][i] + #entry[2][i + 1]
      end
      local has_names = (found.c or '') ~= '' and (found.s or '') ~= '' and (found.r or '') ~= ''
      local kind = found.e and 'e' or 'p'
      if has_names and found[kind] then
        if found.half then redis.call('ZREM', done, found.s .. ':' .. found.r) end
        local again = redis.call('XADD', requests, '*', 'd', '1', 'c', found.c, 's', found.s, 'r', found.r,
          kind, found[kind])
        local dropped = redis.pcall('XDEL', deadLetters, entry[1])
        if type(dropped) == 'table' then
          redis.pcall('XDEL', requests, again)
          return dropped
        end
        retried = retried + 1
      else skipped = skipped + 1 end
      oldest = '(' .. entry[1]
    end
    return { oldest, newest, retried, skipped }`,
}).returns<[next: string, newest: string, retried: number, skipped: number]>();
