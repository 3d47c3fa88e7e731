import { UnreadableRecordError } from './unreadable-record-error.ts';

/* subject-header.ts: the head of a subject's record, which holds all small knowledge of a subject in one string
 * (docs/adr/0020). Read and written here only: knowledge/ serves from it, and an archive sums it up.
 *
 * Big-endian:
 *   1  format (2) in the upper two bits, flags in the other six
 *   4  views
 *   4  first view, in seconds of the epoch; 0 where there was none
 *   4  last view, in seconds of the epoch
 *   5  the minute of the last view and the 39 before it: bit i is the minute i before. 40 bits, because a number in Lua
 *      is exact to 53, and its `bit` library ends at 32
 *   3  active minutes in all
 *   4  when the expiry was last moved, in seconds of the epoch
 *   1  how many minutes that have left the window
 *   2  the highest bit: whether there are facts; the others: how many items
 * Behind it: facts, whose first two bytes are the length of all of them (knowledge/facts/), these minutes (4 bytes each,
 * ascending, in minutes of the epoch), items and pages (8 each). With 12 pages these are 124 bytes, the most that Redis
 * keeps in 128: that is why facts have no byte of their own in the head. */

/** Bytes of the head. */
export const SUBJECT_HEADER_BYTES = 28;
/** Minutes of the window. */
export const WINDOW_MINUTES = 40;
const FORMAT = 2;
/** Values of the flags' bits. */
const FLAGS = 64;
const MINUTE_BYTES = 4;
const ITEM_BYTES = 8;
const HAS_FACTS = 2 ** 15;
/** Bytes of the length that stands in front of facts. */
export const FACTS_LENGTH_BYTES = 2;

/** Stands in place of a record for an hour after its session was ended: nothing is known, and nothing is noted. */
export const SUBJECT_TOMBSTONE = '';

/** The bits of a record's flags. */
export const SUBJECT_FLAGS = {
  /** A second message that writes came: it is no bounce. */
  returned: 1,
  /** Pages stand in a seen filter and a unique count. */
  largePages: 2,
  /** Items stand in a seen filter and a unique count. */
  largeItems: 4,
  /** Minutes that have left the window stand in bitmaps. */
  largeMinutes: 8,
  /** Something was done with notices, or there are notices to it alone. */
  notices: 16,
  /** It is claimed for a person: what is still noted of it is the person's. */
  claimed: 32,
  /** Of a person: filters of sessions were merged into it whole. No person is claimed. */
  beside: 32,
} as const;

/** The head of a subject's record. Times are seconds of the epoch. */
export interface SubjectHeader {
  readonly flags: number;
  readonly views: number;
  readonly firstView: number;
  readonly lastView: number;
  /** Bit i: the minute i before that of the last view. A whole number below 2^40. */
  readonly window: number;
  readonly activeMinutes: number;
  /** When the expiry was last moved. */
  readonly moved: number;
  readonly minutes: number;
  readonly items: number;
  readonly pages: number;
  /** Bytes of the facts, their length included; 0 where there are none. */
  readonly factsBytes: number;
}

/** Reads the head of a record.
 *  @throws UnreadableRecordError where it is none. */
export function readSubjectHeader(record: Buffer): SubjectHeader {
  const isRecord = record.length >= SUBJECT_HEADER_BYTES && record[0]! >> 6 === FORMAT;
  const minutes = isRecord ? record[25]! : 0;
  const counted = isRecord ? record.readUInt16BE(26) : 0;
  const items = counted % HAS_FACTS;
  const factsBytes = counted === items ? 0 : factsLengthOf(record);
  const pages = (record.length - SUBJECT_HEADER_BYTES - factsBytes - MINUTE_BYTES * minutes) / ITEM_BYTES - items;
  if (!isRecord || pages < 0 || !Number.isInteger(pages)) {
    throw new UnreadableRecordError();
  }
  return {
    flags: record[0]! % FLAGS,
    views: record.readUInt32BE(1),
    firstView: record.readUInt32BE(5),
    lastView: record.readUInt32BE(9),
    window: record.readUIntBE(13, 5),
    activeMinutes: record.readUIntBE(18, 3),
    moved: record.readUInt32BE(21),
    minutes,
    items,
    pages,
    factsBytes,
  };
}

// Infinite where it cannot be: then it is no record.
function factsLengthOf(record: Buffer): number {
  const isThere = record.length >= SUBJECT_HEADER_BYTES + FACTS_LENGTH_BYTES;
  const length = isThere ? record.readUInt16BE(SUBJECT_HEADER_BYTES) : 0;
  return length > FACTS_LENGTH_BYTES ? length : Number.POSITIVE_INFINITY;
}

/** Writes the head of a record. Numbers that are too large stay at the largest. */
export function writeSubjectHeader(header: SubjectHeader): Buffer {
  const record = Buffer.alloc(SUBJECT_HEADER_BYTES);
  record[0] = FLAGS * FORMAT + header.flags;
  record.writeUInt32BE(Math.min(header.views, 2 ** 32 - 1), 1);
  record.writeUInt32BE(header.firstView, 5);
  record.writeUInt32BE(header.lastView, 9);
  record.writeUIntBE(header.window, 13, 5);
  record.writeUIntBE(Math.min(header.activeMinutes, 2 ** 24 - 1), 18, 3);
  record.writeUInt32BE(header.moved, 21);
  record[25] = header.minutes;
  record.writeUInt16BE((header.factsBytes > 0 ? HAS_FACTS : 0) + header.items, 26);
  return record;
}

const FIELDS = 'flags, views, first, last, window, active, moved, minutes, items';
const LAYOUT = '>BI4I4I4I5I3I4BI2';

/** Lua that reads the head of the record in the string `body` into variables, in the order of the head, and `facts`: the
 *  bytes of the facts. Refuses any other string. */
export const READ_SUBJECT_HEADER = `
local of_pages = -1
if #body >= ${SUBJECT_HEADER_BYTES} then
  ${FIELDS} = struct.unpack('${LAYOUT}', body)
  if items >= ${HAS_FACTS} then
    items = items - ${HAS_FACTS}
    facts = #body >= ${SUBJECT_HEADER_BYTES + FACTS_LENGTH_BYTES} and struct.unpack('>I2', body, ${SUBJECT_HEADER_BYTES + 1}) or 0
    if facts <= ${FACTS_LENGTH_BYTES} then facts = #body end
  end
  of_pages = #body - ${SUBJECT_HEADER_BYTES} - facts - ${MINUTE_BYTES} * minutes - ${ITEM_BYTES} * items
end
-- Also what was cut off, or grew: its sections could not be told from one another.
if of_pages < 0 or of_pages % ${ITEM_BYTES} ~= 0 or flags < ${FLAGS * FORMAT} or flags >= ${FLAGS * (FORMAT + 1)} then
  error('SUBJECTRECORD what lies in ' .. record .. ' is no record of this format')
end
flags = flags % ${FLAGS}
`;

/** Lua that packs these variables into the head of a record: an expression. */
export const PACK_SUBJECT_HEADER: string = `struct.pack('${LAYOUT}', ${FLAGS * FORMAT} + ${FIELDS} + (facts > 0 and ${HAS_FACTS} or 0))`;

/** Lua that says whether the variable `flags` has a flag: an expression without a call. */
export function hasFlag(flag: number): string {
  return `flags % ${2 * flag} >= ${flag}`;
}
