import { defineScript, hasFlag, PACK_SUBJECT_HEADER, SUBJECT_FLAGS } from '../../redis/index.ts';
import type { MovedRetention, SubjectKind } from '../retention.ts';
import { noticesLua } from './notices-lua.ts';
import { partsLua } from './parts-lua.ts';
import { decideExpiry, readRecord } from './record-lua.ts';

/** Makes the script that marks notices as read. Behind the named arguments stand `positions` pairs of encrypted group and sequence number, then
 *  the encrypted ids of foreign notices. `now`: the time by Redis's clock, in seconds of the epoch.
 *
 *  The record is made where there is none, and its expiry moved: read notices live as long as it. Its flag says that there
 *  are some. */
export function markNoticesScript(retention: MovedRetention, of: SubjectKind = 'session') {
  return defineScript({
    name: 'mark-notices',
    uses: [partsLua, noticesLua],
    keys: ['record', 'rings', 'foreign', 'absent?'],
    args: { now: 'number', positions: 'number' },
    restArgs: 'position',
    output: '1 where the subject is claimed, else nothing',
    body: `
    ${readRecord('nil')}
    ${decideExpiry(retention)}
    local is_first = not (${hasFlag(SUBJECT_FLAGS.readNotices)})
    if is_first then flags = flags + ${SUBJECT_FLAGS.readNotices} end
    local head = ${PACK_SUBJECT_HEADER}
    if not body then redis.call('SET', record, head, 'EX', ${retention.bounceSeconds})
    elseif due or is_first then redis.call('SETRANGE', record, 0, head) end
    mark_notices(rings, foreign, firstPosition, positions)
    if due then renew(flags, ${retention.seconds}) end
    ${
      of === 'session'
        ? `if ${hasFlag(SUBJECT_FLAGS.claimed)} then
      note_late(now)
      return 1
    end`
        : ''
    }`,
  }).returns<1 | null>();
}
