import { Script } from '../../../redis/index.ts';
import { RECORD_LUA } from '../../record/record-header.ts';

/** Reads whose a session is.
 *
 *  Input: KEYS record. Output: { 1, the user's reference, when it was last written } where it lives and is somebody's;
 *  { 0 } where it is not; { -1 } where it cannot be read. */
export const readOwner: Script<[1, string, string] | [0 | -1]> = new Script(`${RECORD_LUA}
local readable, r = pcall(read_record, KEYS[1])
if not readable then return { -1 } end
if not r or r.ended or not r.user or r.expires <= now_ms() then return { 0 } end
return { 1, r.user, string.format('%.0f', r.seen) }
`);
