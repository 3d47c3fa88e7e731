import { defineScript } from '../../../redis/index.ts';
import { changesLua } from '../../lua/changes-lua.ts';
import { clockLua, refuseLateLua } from '../../lua/clock-lua.ts';
import { NEXT_VERSION, recordLua } from '../../lua/record-lua.ts';

/** Changes one field of a session that the caller need not have loaded.
 *
 *  `operation` is `increment`, which adds the number `value`, or `append`, which appends `value`: JSON of the values
 *  without their brackets. `before`: packed changes of the field that come first, or ''. */
export const changeField = defineScript({
  name: 'change-field',
  uses: [clockLua, refuseLateLua, recordLua, changesLua],
  keys: ['record'],
  args: {
    secretHash: 'text',
    absoluteMs: 'number',
    notAfter: 'number',
    operation: 'text',
    field: 'text',
    value: 'text',
    before: 'text',
  },
  statuses: { done: 1, gone: 0, sealed: -2, unfit: -3 },
  buffers: true,
  output: `done, the header now, the field's JSON; gone: the session is not there;
    sealed: Redis cannot read the fields; unfit: the field holds something that the operation cannot change`,
  body: (status) => `
local now = now_ms()
refuse_late(notAfter, now)
local r = open_record(record, secretHash, now, absoluteMs)
if not r then return ${status.gone} end
if r.sealed then return ${status.sealed} end
local body, result, there = body_of(record, r), nil, nil
if before ~= '' then body = changed_body(body, cmsgpack.unpack(before)) end
local fields = body == '' and {} or cmsgpack.unpack(body)
for i = 1, #fields, 2 do if fields[i] == field then there = fields[i + 1] end end
if operation == 'increment' then
  if there and not string.match(there, '^-?%d') then return ${status.unfit} end
  local sum = tonumber(there or 0) + tonumber(value)
  if sum ~= sum or sum == math.huge or sum == -math.huge then return ${status.unfit} end
  result = sum % 1 == 0 and string.format('%.0f', sum) or string.format('%.17g', sum)
else
  if there and string.sub(there, 1, 1) ~= '[' then return ${status.unfit} end
  result = (there and there ~= '[]') and string.sub(there, 1, -2) .. ',' .. value .. ']' or '[' .. value .. ']'
end
body = changed_body(body, { field, 's', result, '' })
r.version = ${NEXT_VERSION}
local header = pack_header(r)
redis.call('SET', record, header .. body, 'KEEPTTL')
return { ${status.done}, header, result }
`,
}).returns<[header: Buffer, json: Buffer] | []>();
