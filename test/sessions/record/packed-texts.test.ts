import { describe, expect, it } from 'vitest';
import { packTexts, unpackBytes, unpackTexts } from '../../../src/sessions/record/packed-texts.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { useRedis } from '../../support/use-redis.ts';

const LENGTHS = [0, 1, 31, 32, 255, 256, 65535, 65536, 70000];
const COUNTS = [0, 1, 15, 16, 300, 65535, 65536];

describe('packed texts', () => {
  const { redis } = useRedis();

  const packedByRedis = (texts: readonly (string | Buffer)[]): Promise<Buffer> =>
    redis.commandForBuffers('EVAL', 'return cmsgpack.pack(ARGV)', '0', ...texts);
  const unpackedByRedis = (packed: Buffer): Promise<Buffer[]> =>
    redis.commandForBuffers('EVAL', 'return cmsgpack.unpack(ARGV[1])', '0', packed);

  it.each(LENGTHS)('a text of %i bytes: the same bytes as Redis packs, and back both ways', async (length) => {
    const texts = ['x'.repeat(length), 'behind'];
    const packed = packTexts(texts);
    expect(packed.equals(await packedByRedis(texts))).toBe(true);
    expect(unpackTexts(packed)).toEqual(texts);
    expect((await unpackedByRedis(packed)).map(String)).toEqual(texts);
  });

  it.each(COUNTS)('%i texts', async (count) => {
    const texts = Array.from({ length: count }, (_, i) => String(i));
    const packed = packTexts(texts);
    expect(unpackTexts(packed)).toEqual(texts);
    expect((await unpackedByRedis(packed)).map(String)).toEqual(texts);
    // A script's argument list would be too long above that, and an empty table is packed as a map.
    if (count > 0 && count <= 300) expect(packed.equals(await packedByRedis(texts))).toBe(true);
  });

  it('the empty table of Lua is an empty list', async () => {
    expect(unpackTexts(await packedByRedis([]))).toEqual([]);
    expect(unpackBytes(await packedByRedis([]))).toEqual([]);
  });

  it('unicode is packed by its bytes, and bytes come back as they are', async () => {
    const texts = ['ü'.repeat(16), 'ü'.repeat(15), '東'.repeat(86), '🚲\0\r\n', ''];
    expect(packTexts(texts).equals(await packedByRedis(texts))).toBe(true);
    expect(unpackTexts(packTexts(texts))).toEqual(texts);
    const bytes = [Buffer.from([0xff, 0x00, 0x80]), new SeededRandom(1).bytes(300)];
    expect(unpackBytes(packTexts(bytes))).toEqual(bytes);
    expect(packTexts(bytes).equals(await packedByRedis(bytes))).toBe(true);
  });

  it('from an offset on, as behind a header', () => {
    const packed = Buffer.concat([Buffer.from('header'), packTexts(['a', 'b'])]);
    expect(unpackTexts(packed, 6)).toEqual(['a', 'b']);
    expect(unpackBytes(packed, 6).map(String)).toEqual(['a', 'b']);
  });

  it('200 random lists, both ways', async () => {
    const random = new SeededRandom(20261121);
    for (let i = 0; i < 200; i += 1) {
      const texts = Array.from({ length: random.below(40) + 1 }, () => random.bytes(random.below(400)));
      const packed = packTexts(texts);
      expect(packed.equals(await packedByRedis(texts))).toBe(true);
      for (const unpacked of [unpackBytes(packed), await unpackedByRedis(packed)]) {
        expect(unpacked).toHaveLength(texts.length);
        expect(unpacked.every((text, at) => text.equals(texts[at]!))).toBe(true);
      }
    }
  });

  it('what is no packed list, or ends too early, is refused', () => {
    const packed = packTexts(['x'.repeat(300), 'y']);
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from([0xff, 0xff]),
      Buffer.from('plain text'),
      packed.subarray(0, 1),
      packed.subarray(0, 3),
      packed.subarray(0, 100),
      packed.subarray(0, packed.length - 1),
    ]) {
      expect(() => unpackTexts(bytes)).toThrow(RangeError);
      expect(() => unpackBytes(bytes)).toThrow(RangeError);
    }
  });
});
