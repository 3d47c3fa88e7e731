import { MAX_PAYLOAD_BYTES } from '../../protocol/index.ts';
import { type RedisConnection, Script } from '../../redis/index.ts';
import { DEAD_LETTER_CAP } from './commit-scripts.ts';

/* read-entries.ts: reads streams by bytes. XREAD and XRANGE can be bounded by a number of entries only, and anybody who
 * may write to a stream may write entries of hundreds of megabytes. So a script reads a few at a time and stops when
 * there is enough; of an entry that is too large only its short fields leave Redis, and its length. */

/** The largest entry that is read, in bytes of its fields: a payload of the greatest length, sealed, with room. */
export const MAX_ENTRY_BYTES: number = 128 * 1024;
/** Why an entry above that is given up. */
export const TOO_LARGE: string = `It is too large: a payload may have ${MAX_PAYLOAD_BYTES} bytes`;
/** How much one read takes at the most, in bytes of fields, but for its last entry. */
const MAX_READ_BYTES = 1024 * 1024;
// Below this many bytes an entry is small: the next few are read at once.
const SMALL_BYTES = 4 * 1024;
// Of an entry that is too large only these are looked at.
const MOST_SHORT_FIELDS = 20;
const SHORT_FIELD_BYTES = 256;

/** An entry as it was read: its id and its fields, flat; where it is too large its short fields, all its bytes, and 1
 *  where it was put to the dead letters in the same step. */
export type RawEntry = readonly [id: string, fields: readonly string[], bytes?: number, isDeadLettered?: 0 | 1];

/** What is read of one stream. */
export interface ReadRequest {
  readonly key: string;
  /** The keys of its owner and its dead letters, and the token of the ownership. */
  readonly owner: string;
  readonly deadLetters: string;
  readonly token: string;
  /** The last entry that was read before, or `0-0`. */
  readonly position: string;
  readonly mostEntries: number;
  readonly mostBytes: number;
}

/** What was read of one stream. */
export interface ReadEntries {
  /** Whether more may stand behind. */
  readonly hasMore: boolean;
  readonly entries: readonly RawEntry[];
}

/* Input: KEYS for each stream: requests, owner, dead letters; ARGV the most bytes in all, then for each stream: token,
 *        position, the most entries, the most bytes.
 * Output: for each stream 1 where more may stand behind, else 0; and its entries.
 * An entry that is too large goes to the dead letters in this step, and ends the read: to read 300 MB takes Redis longer
 * than a lease, and in a step of its own that would never come to be. */
const readStreams = new Script<[hasMore: 0 | 1, entries: RawEntry[]][]>(`
local left, answer = tonumber(ARGV[1]), {}
local function dead_letter(keys, entry, short, bytes)
  local fields = { 'c', '', 's', '', 'r', '', 'bytes', string.format('%d', bytes), 'd', '0', 'id', entry[1], 'reason', ARGV[2] }
  for i = 1, #short, 2 do
    for j = 1, 10, 2 do if fields[j] == short[i] then fields[j + 1] = short[i + 1] end end
  end
  local letter = redis.pcall('XADD', keys[3], 'MAXLEN', '~', ${DEAD_LETTER_CAP}, '*', unpack(fields))
  if type(letter) == 'table' then return 0 end
  if redis.pcall('XDEL', keys[1], entry[1]) == 1 then return 1 end
  redis.pcall('XDEL', keys[3], letter)
  return 0
end
local function shorten(keys, token, entry, bytes)
  local short = {}
  for i = 1, math.min(#entry[2], ${MOST_SHORT_FIELDS}), 2 do
    local name, value = entry[2][i], entry[2][i + 1]
    if (name == 'c' or name == 's' or name == 'r' or name == 'd') and #value <= ${SHORT_FIELD_BYTES} then
      short[#short + 1], short[#short + 2] = name, value
    end
  end
  local is_ours = redis.call('GET', keys[2]) == token
  return { entry[1], short, bytes, is_ours and dead_letter(keys, entry, short, bytes) or 0 }
end
for i = 1, #KEYS / 3 do
  local keys = { KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i] }
  local token, position = ARGV[4 * i - 1], ARGV[4 * i]
  local most, room = tonumber(ARGV[4 * i + 1]), tonumber(ARGV[4 * i + 2])
  local entries, more, step = {}, 1, 1
  while #entries < most and room > 0 and left > 0 do
    local wanted = math.min(step, most - #entries)
    local batch = redis.call('XRANGE', keys[1], '(' .. position, '+', 'COUNT', wanted)
    local largest = 0
    for _, entry in ipairs(batch) do
      local bytes = 0
      for _, text in ipairs(entry[2]) do bytes = bytes + #text end
      largest = math.max(largest, bytes)
      if bytes > ${MAX_ENTRY_BYTES} then entry, bytes = shorten(keys, token, entry, bytes), left end
      room, left = room - bytes, left - bytes
      entries[#entries + 1], position = entry, entry[1]
    end
    if #batch < wanted then
      more = 0
      break
    end
    step = largest > ${SMALL_BYTES} and 1 or 4
  end
  answer[i] = { more, entries }
end
return answer`);

/** Reads what stands behind the positions, at most about a megabyte in all; in the order of the requests, so those that
 *  come last may be left out. In a Cluster all keys must share a slot. */
export async function readEntries(redis: RedisConnection, requests: readonly ReadRequest[]): Promise<ReadEntries[]> {
  const args = requests.flatMap(({ token, position, mostEntries, mostBytes }) => [
    ...[token, position],
    ...[mostEntries, mostBytes],
  ]);
  const keys = requests.flatMap(({ key, owner, deadLetters }) => [key, owner, deadLetters]);
  const read = await readStreams.run(redis, keys, [MAX_READ_BYTES, TOO_LARGE, ...args]);
  return read.map(([hasMore, entries]) => ({ hasMore: hasMore === 1, entries }));
}

/** What is kept of an entry that is too large: the fields that say whose it is, and how many bytes it has. */
export function shorten([id, fields]: RawEntry, bytes: number): RawEntry {
  const short: string[] = [];
  for (let i = 0; i + 1 < Math.min(fields.length, MOST_SHORT_FIELDS); i += 2) {
    const [name, value] = [fields[i]!, fields[i + 1]!];
    if ('csrd'.includes(name) && name.length === 1 && value.length <= SHORT_FIELD_BYTES) short.push(name, value);
  }
  return [id, short, bytes];
}

/** The bytes of an entry's fields, about: in UTF-16 units. */
export function sizeOf([, fields, bytes]: RawEntry): number {
  if (bytes !== undefined) return bytes;
  let size = 0;
  for (const text of fields) size += text.length;
  return size;
}
