import { TELL_LUA } from '../../lua/ends-lua.ts';
import { PlacedScript } from '../../lua/placed-script.ts';
import { packTexts } from '../../record/packed-texts.ts';
import { CHANGES_LUA, RECORD_LUA } from '../../record/record-header.ts';

/** What a save came to. */
export const SAVED = {
  /** The session is not there, or the token is not its own: nothing was written. */
  gone: 0,
  /** The fields are what was sent. */
  whole: 1,
  /** Others had changed it: the differences were applied to what they left. */
  merged: 2,
  /** Others had changed it, and no differences were sent: nothing was written. */
  conflict: -1,
  /** Others had sealed it meanwhile, so the differences could not be applied: nothing was written. */
  sealed: -2,
} as const;

/** What a save says beside the record itself, in the order in which the script takes it. */
export interface SaveTerms {
  /** SHA-256 of the token's secret; empty where it is not asked for. */
  readonly hash: Buffer | undefined;
  readonly session: string;
  /** `put` makes the session where it is not there; `make` does only that. */
  readonly mode: 'update' | 'put' | 'make';
  /** The version that was loaded; -1 where others have changed it since. */
  readonly version: number;
  readonly sealed: boolean;
  /** Packed, or empty where they cannot be told. */
  readonly changes: Buffer | '';
  /** Below 0: the end stays where it is. */
  readonly idleMs: number;
  readonly touchEveryMs: number;
  /** 0: without end. */
  readonly absoluteMs: number;
  readonly cookieExpiresAt: number;
  readonly namespace: string;
  readonly lifecycleLength: number;
}

/** Packs terms for the script. */
export function packTerms(terms: SaveTerms): Buffer {
  return packTexts([
    terms.hash ?? '',
    terms.session,
    terms.mode,
    String(terms.version),
    terms.sealed ? '1' : '',
    terms.changes,
    String(terms.idleMs),
    String(terms.touchEveryMs),
    String(terms.absoluteMs),
    String(terms.cookieExpiresAt),
    terms.namespace,
    String(terms.lifecycleLength),
  ]);
}

// What few saves need is defined where it is needed.
/** Saves a session in one step: makes it, renews it, or applies differences where others have changed it.
 *
 *  In a Cluster, mode `update` reaches the record alone and leaves the indexes to the caller: a step of one key goes on
 *  while its slot moves.
 *
 *  Input: KEYS record, lifecycle (not in a Cluster with mode `update`); ARGV the packed fields, `SaveTerms`.
 *  Output: { one of SAVED, the header now }. */
export const saveRecord: PlacedScript<[number, Buffer?]> = new PlacedScript(
  ({ isCluster, ends, finish }) => `${RECORD_LUA}${ends}
local record, lifecycle = KEYS[1], KEYS[2]
local secret, session, mode, version, sealed, changes, idle, touch_every, absolute, cookie, ns, length =
  unpack(cmsgpack.unpack(ARGV[2]))
idle, touch_every, absolute = tonumber(idle), tonumber(touch_every), tonumber(absolute)
local body = ARGV[1]
local now, tag = now_ms(), tag_of(record)
local r = open_record(record, secret, now, absolute)
local status = ${SAVED.whole}
if not r then
  if mode == 'update' then return { ${SAVED.gone} } end
  local there = read_record(record)
  -- What has ended stays so while its record is kept; what has expired may begin anew with its own secret.
  if there and (there.ended or there.secret ~= secret) then return { ${SAVED.gone} } end
  if there and mode == 'make' then return { ${SAVED.gone} } end
  if there then
    ${TELL_LUA}${finish}
    finish(ns, tag, session, there, now, lifecycle, length, 'expired')
    if there.kept then return { ${SAVED.gone} } end
  end
  r = { secret = secret, created = now, version = 0, expires = 0 }
  ${TELL_LUA}
  tell(lifecycle, length, 'created', session)
elseif mode == 'make' then
  return { ${SAVED.gone} }
elseif mode == 'put' and sealed == '1' then
  -- What was sent was sealed for a session that begins.
  return { ${SAVED.conflict} }
elseif mode == 'update' and r.version ~= tonumber(version) then
  if changes == '' then return { ${SAVED.conflict} } end
  if r.sealed then return { ${SAVED.sealed} } end
  ${CHANGES_LUA}
  body = changed_body(body_of(record, r), cmsgpack.unpack(changes))
  status = ${SAVED.merged}
end
r.sealed = sealed == '1'
r.seen, r.version = now, (r.version + 1) % 4294967296
if idle >= 0 then r.cookie = tonumber(cookie) end
local moved = renew(r, now, idle, touch_every, absolute)
local header = pack_header(r)
if moved then
  redis.call('SET', record, header .. body, 'PXAT', r.expires + KEPT_AFTER_END)
  ${isCluster ? "if mode ~= 'update' then index_end(ns, tag, session, r) end" : 'index_end(ns, tag, session, r)'}
else
  redis.call('SET', record, header .. body, 'KEEPTTL')
end
return { status, header }
`,
);
