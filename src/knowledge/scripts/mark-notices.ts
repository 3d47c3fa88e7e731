import { defineScript, PACK_SUBJECT_HEADER } from '../../redis/index.ts';
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
 *  The record is made where there is none, and its expiry moved: read notices live as long as it. */
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
    local head = ${PACK_SUBJECT_HEADER}
    if not body then redis.call('SET', record, head, 'EX', ${retention.bounceSeconds})
    elseif due then redis.call('SETRANGE', record, 0, head) end
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
      -- Far below the top: the numbers have begun again at 0.
      if sequence - top >= CAP or top - sequence > ${RING_NUMBERS / 2} then
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
