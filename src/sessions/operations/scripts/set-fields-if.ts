import { defineScript } from '../../../redis/index.ts';
import { changesLua } from '../../lua/changes-lua.ts';
import { clockLua, refuseLateLua } from '../../lua/clock-lua.ts';
import { NEXT_VERSION, recordLua } from '../../lua/record-lua.ts';

/** Changes fields of a session if its version is the expected one. */
export const setFieldsIf = defineScript({
  name: 'set-fields-if',
  uses: [clockLua, refuseLateLua, recordLua, changesLua],
  keys: ['record'],
  args: { secretHash: 'text', absoluteMs: 'number', notAfter: 'number', version: 'number', changes: 'text' },
  statuses: { done: 1, gone: 0, conflict: -1, sealed: -2 },
  buffers: true,
  output: `done, the header now; gone: the session is not there; conflict, the version: it is another one;
    sealed: Redis cannot change the fields`,
  body: (status) => `
local now = now_ms()
refuse_late(notAfter, now)
local r = open_record(record, secretHash, now, absoluteMs)
if not r then return ${status.gone} end
if r.sealed then return ${status.sealed} end
if r.version ~= version then return { ${status.conflict}, string.format('%.0f', r.version) } end
local body = changed_body(body_of(record, r), cmsgpack.unpack(changes))
r.version = ${NEXT_VERSION}
local header = pack_header(r)
redis.call('SET', record, header .. body, 'KEEPTTL')
return { ${status.done}, header }
`,
}).returns<[headerOrVersion: Buffer] | []>();
