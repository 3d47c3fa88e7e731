/* packed-texts.ts: a list of strings as MessagePack (the array and str formats of its specification), because Redis's
 * scripts read and write that with `cmsgpack` in C, and it keeps any string as it is. */

const LONGEST_PREFIX = 5;
/** The longest list whose texts are decoded together, in bytes. */
const MOST_AT_ONCE = 4_096;

/** Packs texts (as UTF-8) and bytes into one. */
export function packTexts(texts: readonly (string | Buffer)[]): Buffer {
  const lengths = texts.map((text) => (typeof text === 'string' ? Buffer.byteLength(text) : text.length));
  const size = lengths.reduce((sum, length) => sum + LONGEST_PREFIX + length, LONGEST_PREFIX);
  const packed = Buffer.allocUnsafe(size);
  let at = writeLength(packed, 0, texts.length, ARRAY);
  for (const [i, text] of texts.entries()) {
    at = writeLength(packed, at, lengths[i]!, TEXT);
    at += typeof text === 'string' ? packed.write(text, at) : text.copy(packed, at);
  }
  return packed.subarray(0, at);
}

/** How many bytes a text takes within a packed list. */
export function packedSize(text: string): number {
  const size = Buffer.byteLength(text);
  return size + (size <= TEXT.most ? 1 : size <= 0xff ? 2 : size <= 0xffff ? 3 : LONGEST_PREFIX);
}

/** The first bytes of a packed list of `count` texts. */
export function packHead(count: number): Buffer {
  const head = Buffer.alloc(LONGEST_PREFIX);
  return head.subarray(0, writeLength(head, 0, count, ARRAY));
}

/** Reads the texts of a packed list, from `offset` on.
 *  @throws RangeError where the bytes are no packed list. */
export function unpackTexts(packed: Buffer, offset = 0): string[] {
  if (packed.length > MOST_AT_ONCE) return unpack(packed, offset, (start, end) => packed.toString('utf8', start, end));
  // Decodes all of it once, and each text by itself only where it is not ASCII: a call of the decoder costs more than a
  // short text does.
  const all = packed.toString('latin1');
  return unpack(packed, offset, (start, end) =>
    isAscii(packed, start, end) ? all.slice(start, end) : packed.toString('utf8', start, end),
  );
}

/** Reads a packed list as bytes, for texts that are not UTF-8. */
export function unpackBytes(packed: Buffer, offset = 0): Buffer[] {
  return unpack(packed, offset, (start, end) => packed.subarray(start, end));
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  let bits = 0;
  for (let i = start; i < end; i += 1) bits |= bytes[i]!;
  return bits < 0x80;
}

/** How a format encodes a length: within its first byte up to `most`, else in 1, 2 or 4 bytes behind one of these. */
interface LengthFormat {
  readonly fix: number;
  readonly most: number;
  readonly one: number | undefined;
  readonly two: number;
  readonly four: number;
}

const ARRAY: LengthFormat = { fix: 0x90, most: 15, one: undefined, two: 0xdc, four: 0xdd };
const TEXT: LengthFormat = { fix: 0xa0, most: 31, one: 0xd9, two: 0xda, four: 0xdb };

function writeLength(packed: Buffer, at: number, length: number, { fix, most, one, two, four }: LengthFormat): number {
  if (length <= most) return packed.writeUInt8(fix | length, at);
  if (one !== undefined && length <= 0xff) return packed.writeUInt8(length, packed.writeUInt8(one, at));
  if (length <= 0xffff) return packed.writeUInt16BE(length, packed.writeUInt8(two, at));
  return packed.writeUInt32BE(length, packed.writeUInt8(four, at));
}

function unpack<Text>(packed: Buffer, offset: number, take: (start: number, end: number) => Text): Text[] {
  let at = offset;
  const readLength = ({ fix, most, one, two, four }: LengthFormat): number => {
    const lead = packed.readUInt8(at);
    at += 1;
    if (lead >= fix && lead <= fix + most) return lead - fix;
    const bytes = lead === one ? 1 : lead === two ? 2 : lead === four ? 4 : 0;
    if (bytes === 0) throw new RangeError(`Byte ${lead} at ${at - 1} begins no packed text.`);
    at += bytes;
    return packed.readUIntBE(at - bytes, bytes);
  };
  const texts: Text[] = [];
  for (let left = readLength(ARRAY); left > 0; left -= 1) {
    const size = readLength(TEXT);
    if (at + size > packed.length) throw new RangeError('The packed texts end too early.');
    texts.push(take(at, at + size));
    at += size;
  }
  return texts;
}
