import { type ArgumentKind, defineScript, joinLua } from '../../../redis/index.ts';
import { appendEventLua } from '../../lua/append-event-lua.ts';
import { changesLua } from '../../lua/changes-lua.ts';
import { clockLua } from '../../lua/clock-lua.ts';
import { forDeployment } from '../../lua/for-deployment.ts';
import { placesLua } from '../../lua/places-lua.ts';
import { NEXT_VERSION, recordLua } from '../../lua/record-lua.ts';
import { KEPT_AFTER_END_MS } from '../../lua/retention.ts';
import { packTexts } from '../../record/packed-texts.ts';

/** Options of a save. */
export interface SaveOptions {
  /** SHA-256 of the token's secret; '' skips the check. */
  readonly secretHash: Buffer | '';
  readonly session: string;
  /** `put` makes the session where it is not there; `make` does only that. */
  readonly mode: 'update' | 'put' | 'make';
  /** The version that was loaded; `STALE_VERSION` where others have changed the session since. */
  readonly version: number;
  readonly isSealed: boolean;
  /** Packed differences to what was loaded; '' where there are none to send. */
  readonly changes: Buffer | '';
  /** How long the session may rest; `END_STAYS` leaves its end where it is. */
  readonly idleMs: number;
  readonly touchEveryMs: number;
  /** 0: without end. */
  readonly absoluteMs: number;
  readonly cookieExpiresAt: number;
  readonly namespace: string;
  readonly lifecycleLength: number;
}

/** As `idleMs`: the session's end stays where it is. */
export const END_STAYS = -1;

/* The options are one argument, a packed list in this order: twelve bulk strings cost Redis more than one. */
const OPTIONS = {
  secretHash: 'text',
  session: 'text',
  mode: 'text',
  version: 'number',
  isSealed: 'flag',
  changes: 'text',
  idleMs: 'number',
  touchEveryMs: 'number',
  absoluteMs: 'number',
  cookieExpiresAt: 'number',
  namespace: 'text',
  lifecycleLength: 'text',
} as const satisfies Record<keyof SaveOptions, ArgumentKind>;
const OPTION_NAMES = Object.keys(OPTIONS) as (keyof SaveOptions)[];
const NUMBERS = OPTION_NAMES.filter((name) => OPTIONS[name] === 'number');
const FLAGS = OPTION_NAMES.filter((name) => OPTIONS[name] === 'flag');

const UNPACK_OPTIONS = `
local ${OPTION_NAMES.join(', ')} = unpack(cmsgpack.unpack(options))
${NUMBERS.join(', ')} = ${NUMBERS.map((name) => `tonumber(${name})`).join(', ')}
${FLAGS.map((name) => `${name} = ${name} == '1'`).join('\n')}`;

/** Packs the options for `saveRecord`. */
export function packSaveOptions(options: SaveOptions): Buffer {
  const texts: (string | Buffer)[] = [];
  for (const name of OPTION_NAMES) {
    const value = options[name];
    if (typeof value === 'boolean') texts.push(value ? '1' : '');
    else texts.push(typeof value === 'number' ? String(value) : value);
  }
  return packTexts(texts);
}

/** Saves a session in one step: makes it, renews it, or applies differences where others have changed it. `body`: the
 *  packed fields; '' where only the differences are sent.
 *
 *  In a Cluster, mode `update` gets the record alone and leaves the indexes to the caller: a step of one key goes on
 *  while its slot moves. */
export const saveRecord = forDeployment(({ isCluster, expiry, finish }) => {
  const outside = [clockLua, recordLua, expiry];
  return defineScript({
    name: 'save-record',
    uses: outside,
    keys: ['record', 'lifecycle?', 'absent?'],
    args: { body: 'text', options: 'text' },
    statuses: { done: 1, merged: 2, gone: 0, conflict: -1, sealed: -2 },
    buffers: true,
    output: `done, the header now: the fields are what was sent;
      merged, the header now: others had changed the session, and the differences were applied to what they left;
      gone: the session is not there, or the token is not its own;
      conflict: others have changed the session, and no differences were sent;
      sealed: others have sealed the session, and the differences could not be applied`,
    // Defines texts that few saves need inside the branches that need them.
    body: (status) => `
${UNPACK_OPTIONS}
local now, tag = now_ms(), tag_of(record)
local r = open_record(record, secretHash, now, absoluteMs)
local status, places = ${status.done}, nil
if not r then
  if mode == 'update' then return ${status.gone} end
  local there = read_record(record)
  -- A session that was ended stays ended while its record is kept; one that expired may begin anew with its own secret.
  if there and (there.ended or there.secret ~= secretHash) then return ${status.gone} end
  if there and mode == 'make' then return ${status.gone} end
  if there then
    ${joinLua([finish], outside)}
    finish(namespace, tag, session, there, now, lifecycle, lifecycleLength, 'expired')
    if there.archived then return ${status.gone} end
  end
  r = { secret = secretHash, created = now, version = 0, expires = 0 }
  ${joinLua([appendEventLua])}
  append_event(lifecycle, lifecycleLength, 'created', session)
elseif mode == 'make' then
  return ${status.gone}
elseif mode == 'put' and isSealed then
  -- The fields were sealed for a session that begins.
  return ${status.conflict}
elseif mode == 'update' and (r.version ~= version or body == '') then
  if changes == '' then return ${status.conflict} end
  if r.sealed then return ${status.sealed} end
  if body == '' then
    ${joinLua([placesLua], outside)}
    places = places_of(record, r, cmsgpack.unpack(changes))
  end
  if not places then
    ${joinLua([changesLua])}
    body = changed_body(body_of(record, r), cmsgpack.unpack(changes))
  end
  if r.version ~= version then status = ${status.merged} end
end
r.sealed = isSealed
r.seen, r.version = now, ${NEXT_VERSION}
if idleMs >= 0 then r.cookie = cookieExpiresAt end
local moved = renew(r, now, idleMs, touchEveryMs, absoluteMs)
local header = pack_header(r)
local kept_until = r.expires + ${KEPT_AFTER_END_MS}
if places then
  redis.call('SETRANGE', record, 0, header)
  for i = 1, #places, 2 do redis.call('SETRANGE', record, places[i], places[i + 1]) end
  if moved then redis.call('PEXPIREAT', record, kept_until) end
elseif moved then
  redis.call('SET', record, header .. body, 'PXAT', kept_until)
else
  redis.call('SET', record, header .. body, 'KEEPTTL')
end
if moved then
  ${isCluster ? "if mode ~= 'update' then index_end(namespace, tag, session, r) end" : 'index_end(namespace, tag, session, r)'}
end
return { status, header }
`,
  }).returns<[header: Buffer] | []>();
});

/** Result of a save. */
export interface SaveResult {
  readonly status: Awaited<ReturnType<ReturnType<typeof saveRecord.for>['run']>>['status'];
  /** The header now, where something was written. */
  readonly header: Buffer | undefined;
}
