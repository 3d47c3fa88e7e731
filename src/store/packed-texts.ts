/* packed-texts.ts: a list of strings as MessagePack (the array and str formats of its specification), because Redis's
 * scripts read and write that with `cmsgpack` in C, and it keeps any string as it is. */

/** Packs texts (as UTF-8) and bytes into one. */
export function packTexts(texts: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [lengthPrefix(texts.length, 0x90, 15, [undefined, 0xdc, 0xdd])];
  for (const text of texts) {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    parts.push(lengthPrefix(bytes.length, 0xa0, 31, [0xd9, 0xda, 0xdb]), bytes);
  }
  return Buffer.concat(parts);
}

/** The texts of a packed list, from `offset` on.
 *  @throws RangeError where it is none. */
export function unpackTexts(packed: Buffer, offset = 0): Buffer[] {
  let at = offset;
  const length = (fix: number, fixMask: number, wide: readonly (number | undefined)[]): number => {
    const lead = packed.readUInt8(at);
    at += 1;
    if ((lead & ~fixMask) === fix) return lead & fixMask;
    const bytes = [1, 2, 4][wide.indexOf(lead)];
    if (bytes === undefined) throw new RangeError(`Byte ${lead} at ${at - 1} begins no packed text.`);
    at += bytes;
    return packed.readUIntBE(at - bytes, bytes);
  };
  // An empty Lua table is packed as an empty map.
  if (packed[at] === 0x80) return [];
  const texts: Buffer[] = [];
  for (let left = length(0x90, 15, [undefined, 0xdc, 0xdd]); left > 0; left -= 1) {
    const size = length(0xa0, 31, [0xd9, 0xda, 0xdb]);
    if (at + size > packed.length) throw new RangeError('The packed texts end too early.');
    texts.push(packed.subarray(at, at + size));
    at += size;
  }
  return texts;
}

function lengthPrefix(
  length: number,
  fix: number,
  fixMax: number,
  [one, two, four]: readonly [number | undefined, number, number],
): Buffer {
  if (length <= fixMax) return Buffer.from([fix | length]);
  if (one !== undefined && length <= 0xff) return Buffer.from([one, length]);
  if (length <= 0xffff) return Buffer.from([two, length >> 8, length & 0xff]);
  const prefix = Buffer.alloc(5, four);
  prefix.writeUInt32BE(length, 1);
  return prefix;
}
