import { defineScript } from '../../redis/index.ts';
import { NOTICE_CAP } from '../notice-lists.ts';

/** The most foreign ids that a session remembers. */
export const FOREIGN_NOTICE_CAP = 1024;

/** Marks notices as read. Behind the named arguments stand `positions` pairs of group key and sequence number, then the
 *  keys of foreign notices. */
export const markNoticesRead = defineScript({
  name: 'mark-notices-read',
  keys: ['rings', 'foreign'],
  args: { retentionSeconds: 'number', positions: 'number' },
  restArgs: 'position',
  output: 'nothing',
  body: `
    local CAP = ${NOTICE_CAP}
    local firstForeign = firstPosition + 2 * positions
    for i = firstPosition, firstForeign - 1, 2 do
      local field, sequence = ARGV[i], tonumber(ARGV[i + 1])
      local ring = redis.call('HGET', rings, field)
      local top, bytes = sequence, {}
      if ring then
        top = struct.unpack('>d', ring)
        bytes = { string.byte(ring, 9, -1) }
      end
      if sequence - top >= CAP then
        top, bytes = sequence, {}
      end
      while top < sequence do
        top = top + 1
        local at = top % CAP
        local index = math.floor(at / 8) + 1
        if bytes[index] then bytes[index] = bit.band(bytes[index], bit.bnot(bit.rshift(128, at % 8))) end
      end
      if sequence > top - CAP then
        local at = sequence % CAP
        local index = math.floor(at / 8) + 1
        for j = #bytes + 1, index do bytes[j] = 0 end
        bytes[index] = bit.bor(bytes[index], bit.rshift(128, at % 8))
        redis.call('HSET', rings, field, struct.pack('>d', top) .. string.char(unpack(bytes)))
      end
    end
    if positions > 0 then redis.call('EXPIRE', rings, retentionSeconds) end
    if firstForeign <= #ARGV then
      local time = redis.call('TIME')
      local now = time[1] * 1000000 + time[2]
      for i = firstForeign, #ARGV do redis.call('ZADD', foreign, 'NX', string.format('%d', now + i), ARGV[i]) end
      redis.call('ZREMRANGEBYRANK', foreign, 0, -${FOREIGN_NOTICE_CAP + 1})
      redis.call('EXPIRE', foreign, retentionSeconds)
    end`,
});
