import { defineLua } from '../../redis/index.ts';
import { NOTICE_CAP } from '../notice-lists.ts';
import { partsLua } from './parts-lua.ts';

/** The most foreign ids that a subject remembers. */
export const FOREIGN_NOTICE_CAP = 1024;
/** How many numbers a ring counts through before it begins again at 0. */
export const RING_NUMBERS: number = 2 ** 52;

/** Read notices. Needs `record`.
 *
 *  `mark_notices(rings, foreign, first, positions)` marks notices as read: in ARGV from `first` on stand `positions` pairs
 *  of an encrypted group and a sequence number, then the encrypted ids of foreign notices. */
export const noticesLua = defineLua({
  name: 'notices',
  uses: [partsLua],
  source: `
local function mark_notices(rings, foreign, first, positions)
  local CAP = ${NOTICE_CAP}
  local first_foreign = first + 2 * positions
  -- Each ring is read and written once: many notices may be of one group.
  local held, fields = {}, {}
  for i = first, first_foreign - 1, 2 do
    local field, sequence = ARGV[i], tonumber(ARGV[i + 1])
    local ring = held[field]
    if not ring then
      local text = redis.call('HGET', rings, field)
      ring = text and { top = struct.unpack('>d', text), bytes = { string.byte(text, 9, -1) } }
        or { top = sequence, bytes = {} }
      held[field], fields[#fields + 1] = ring, field
    end
    -- Far below the top: the numbers have begun again at 0.
    if sequence - ring.top >= CAP or ring.top - sequence > ${RING_NUMBERS / 2} then
      ring.top, ring.bytes = sequence, {}
    end
    local bytes = ring.bytes
    while ring.top < sequence do
      ring.top = ring.top + 1
      local at = ring.top % CAP
      local index = math.floor(at / 8) + 1
      if bytes[index] then bytes[index] = bit.band(bytes[index], bit.bnot(bit.rshift(128, at % 8))) end
    end
    if sequence > ring.top - CAP then
      local at = sequence % CAP
      local index = math.floor(at / 8) + 1
      for j = #bytes + 1, index do bytes[j] = 0 end
      bytes[index] = bit.bor(bytes[index], bit.rshift(128, at % 8))
    end
  end
  for _, field in ipairs(fields) do
    local ring = held[field]
    redis.call('HSET', rings, field, struct.pack('>d', ring.top) .. string.char(unpack(ring.bytes)))
  end
  if positions > 0 then keep_like_record(rings) end
  if first_foreign <= #ARGV then
    local time = redis.call('TIME')
    local microseconds = time[1] * 1000000 + time[2]
    for i = first_foreign, #ARGV do
      redis.call('ZADD', foreign, 'NX', string.format('%d', microseconds + i), ARGV[i])
    end
    redis.call('ZREMRANGEBYRANK', foreign, 0, -${FOREIGN_NOTICE_CAP + 1})
    keep_like_record(foreign)
  end
end
`,
});
