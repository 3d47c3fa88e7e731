import { defineScript, hasFlag, PACK_SUBJECT_HEADER, SUBJECT_FLAGS } from '../../redis/index.ts';
import { NOTICE_CAP } from '../notice-lists.ts';
import type { Retention } from '../retention.ts';
import { partsLua } from './parts-lua.ts';
import { decideExpiry, readRecord } from './record-lua.ts';

/** The most foreign ids that a subject remembers. */
export const FOREIGN_NOTICE_CAP = 1024;
/** How many numbers a ring counts through before it begins again at 0. */
export const RING_NUMBERS: number = 2 ** 52;

/** Makes the script that marks notices as read. Behind the named arguments stand `positions` pairs of encrypted group and sequence number, then
 *  the encrypted ids of foreign notices. `now`: the time by Redis's clock, in seconds of the epoch.
 *
 *  The record is made where there is none, and its expiry moved: read notices live as long as it. Its flag says that there
 *  are some. */
export function markNoticesScript(retention: Retention) {
  return defineScript({
    name: 'mark-notices',
    uses: [partsLua],
    keys: ['record', 'rings', 'foreign', 'absent?'],
    args: { now: 'number', positions: 'number' },
    restArgs: 'position',
    output: 'nothing',
    body: `
    ${readRecord('nil')}
    ${decideExpiry(retention)}
    local is_first = not (${hasFlag(SUBJECT_FLAGS.readNotices)})
    if is_first then flags = flags + ${SUBJECT_FLAGS.readNotices} end
    local head = ${PACK_SUBJECT_HEADER}
    if not body then redis.call('SET', record, head, 'EX', ${retention.bounceSeconds})
    elseif due or is_first then redis.call('SETRANGE', record, 0, head) end
    local CAP = ${NOTICE_CAP}
    local firstForeign = firstPosition + 2 * positions
    -- Each ring is read and written once: many notices may be of one group.
    local held, fields = {}, {}
    for i = firstPosition, firstForeign - 1, 2 do
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
    if firstForeign <= #ARGV then
      local time = redis.call('TIME')
      local microseconds = time[1] * 1000000 + time[2]
      for i = firstForeign, #ARGV do
        redis.call('ZADD', foreign, 'NX', string.format('%d', microseconds + i), ARGV[i])
      end
      redis.call('ZREMRANGEBYRANK', foreign, 0, -${FOREIGN_NOTICE_CAP + 1})
      keep_like_record(foreign)
    end
    if due then renew(flags, ${retention.seconds}) end`,
  });
}
