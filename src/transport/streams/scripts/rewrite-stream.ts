import { defineScript } from '../../../redis/index.ts';

// Lua's stack takes 8,000 values. Ours have at most 20.
const MOST_FIELDS = 4_000;

/** Writes a stream anew, with the same entries, ids, groups and pending entries. XDEL only marks an entry: its bytes stay in
 *  its block, and so in snapshots and in an append-only file, until the about 100 entries of the block are all deleted.
 *
 *  In one step, so it is done to streams of at most `most` entries. `fresh`: a key that does not exist. */
export const rewriteStream = defineScript({
  name: 'rewrite-stream',
  keys: ['stream', 'fresh'],
  args: { most: 'number' },
  statuses: { done: 1, empty: 0, tooLong: 2 },
  output:
    'done; empty: there are no entries, and so no blocks; tooLong: it, or one of its entries, and it was left as it is',
  body: (status) => `
-- The first write, which a full Redis does not refuse: it takes those behind it too.
redis.call('UNLINK', fresh)
local length = redis.call('XLEN', stream)
if length == 0 then return ${status.empty} end
if length > most then return ${status.tooLong} end

local from = '-'
repeat
  local page = redis.call('XRANGE', stream, from, '+', 'COUNT', 100)
  for _, entry in ipairs(page) do
    if #entry[2] > ${MOST_FIELDS} then
      redis.call('UNLINK', fresh)
      return ${status.tooLong}
    end
    redis.call('XADD', fresh, entry[1], unpack(entry[2]))
    from = '(' .. entry[1]
  end
until #page < 100

local function read(info)
  local values = {}
  for i = 1, #info, 2 do values[info[i]] = info[i + 1] end
  return values
end

-- How many entries there ever were, where the server counts them: so a consumer group can tell that some were dropped.
local head = read(redis.call('XINFO', 'STREAM', stream))
local counts = head['entries-added'] and { 'ENTRIESADDED', head['entries-added'], 'MAXDELETEDID', head['max-deleted-entry-id'] }
redis.call('XSETID', fresh, head['last-generated-id'], unpack(counts or {}))
for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local group = read(info)
  redis.call('XGROUP', 'CREATE', fresh, group.name, group['last-delivered-id'])
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group.name)) do
    redis.call('XGROUP', 'CREATECONSUMER', fresh, group.name, read(consumer).name)
  end
  local after = '-'
  repeat
    local pending = redis.call('XPENDING', stream, group.name, after, '+', 1000)
    for _, each in ipairs(pending) do
      local id, consumer, idle, count = unpack(each)
      if #redis.call('XRANGE', fresh, id, id) > 0 then
        redis.call('XCLAIM', fresh, group.name, consumer, 0, id, 'IDLE', idle, 'RETRYCOUNT', count, 'FORCE', 'JUSTID')
      end
      after = '(' .. id
    end
  until #pending < 1000
end
redis.call('RENAME', fresh, stream)
return ${status.done}`,
});
