import { defineScript, keysLua } from '../../../redis/index.ts';
import { NEXT_VERSION, recordLua } from '../../lua/record-lua.ts';

/** Takes back a rotation whose new token reached no client: the answer was lost on its way. The copy of its grace goes
 *  too. If the secret before was never sent either, the record's previous secret stays.
 *
 *  `newHash`: of the secret that reached no client. `sealedBody`: the fields sealed for the secret before, or '' where
 *  they are not sealed; `sealedVersion`: the version in which they were loaded. */
export const undoRotation = defineScript({
  name: 'undo-rotation',
  uses: [keysLua, recordLua],
  keys: ['record'],
  args: {
    hashBefore: 'text',
    newHash: 'text',
    sealedBody: 'text',
    sealedVersion: 'number',
    namespace: 'text',
    session: 'text',
  },
  statuses: { done: 1, gone: 0, conflict: -1 },
  output: `done: it had been rotated, and is as before; gone: there is nothing to take back;
    conflict: the session has changed since its fields were sealed`,
  body: (status) => `
local r, body = read_record(record), sealedBody
if not r or r.ended or r.secret ~= newHash or not r.previous then return ${status.gone} end
if body == '' then
  if r.sealed then return ${status.gone} end
  body = body_of(record, r)
elseif r.version ~= sealedVersion then
  return ${status.conflict}
end
local was_sent = r.previous == hashBefore
r.secret = hashBefore
if was_sent then r.previous, r.previous_until = nil, nil end
r.version = ${NEXT_VERSION}
redis.call('SET', record, pack_header(r) .. body, 'KEEPTTL')
if was_sent then redis.call('UNLINK', session_key(namespace, tag_of(record), session, 'sb')) end
return ${status.done}
`,
});
