import {
  defineScript,
  hasFlag,
  joinLua,
  PACK_SUBJECT_HEADER,
  SUBJECT_FLAGS,
  SUBJECT_HEADER_BYTES,
} from '../../redis/index.ts';
import type { MovedRetention, SubjectKind } from '../retention.ts';
import { partsLua } from '../scripts/parts-lua.ts';
import { decideExpiry, readRecord } from '../scripts/record-lua.ts';
import { factsLua } from './facts-lua.ts';

/** Makes the script that notes what happened. `at`: when; `now`: the time by Redis's clock; both in seconds of the epoch.
 *  `keeps`: these facts are dropped behind all others. Behind them stand pairs of a name, encrypted for the subject, and how often. */
export function trackScript(retention: MovedRetention, of: SubjectKind = 'session') {
  return defineScript({
    name: 'track',
    uses: [partsLua],
    keys: ['record', 'absent?'],
    args: { at: 'number', now: 'number', keeps: 'flag' },
    restArgs: 'fact',
    output: `how many other facts were dropped, 1 where the session is claimed (else 0), and how often each one happened in
      all; two zeros where the session has ended`,
    body: `
${readRecord('{ 0, 0 }')}
${joinLua([factsLua])}
local behind = body and string.sub(body, ${SUBJECT_HEADER_BYTES + 1} + facts) or ''
local section, dropped, counts = add_facts(firstFact, at, keeps)
facts = #section
${decideExpiry(retention)}
local head = ${PACK_SUBJECT_HEADER}
if body then redis.call('SET', record, head .. section .. behind, 'KEEPTTL')
else redis.call('SET', record, head .. section, 'EX', ${retention.bounceSeconds}) end
if due then renew(flags, ${retention.seconds}) end
local claimed = 0
${of === 'session' ? `if ${hasFlag(SUBJECT_FLAGS.claimed)} then note_late(now) claimed = 1 end` : ''}
return { dropped, claimed, unpack(counts) }`,
  }).returns<[dropped: number, claimed: 0 | 1, ...counts: number[]]>();
}
