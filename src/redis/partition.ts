/* partition.ts: the partitions that sessions are divided into.
 *
 * Partition = CRC16(session) mod 64. Each partition has a hash tag, and all keys of a session carry its partition's
 * tag, so that they share one slot of a Cluster. The tags were chosen by search over all three-character strings so
 * that their slots stand 256 apart (at most one slot off): any number of masters with contiguous slot ranges gets an
 * even share. Changing the table moves every key; its number of partitions is part of the meta record. */

/** How many partitions there are. */
export const PARTITIONS = 64;

/** Hash tags, by partition. */
export const PARTITION_TAGS: readonly string[] = (
  '53t j3j if5 kec 574 74b akm 6bk 96a frw 0ip oin d1i 38o 0m0 2nf he6 box 40w c9q hav 7ah 447 67a 1js fcu 0xr gqt ' +
  '1n3 3me e2j gu4 712 52d cmk 4dm 75r h5l 7av ice 3y7 1za 2k6 8ax wu7 931 2ov 8e8 7d8 5gn 621 41g jc0 qkn 66q i6o ' +
  '3h5 1kc 2z4 0yb 3lu des o94 802'
).split(' ');

const SLOTS = 16384;

const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/** CRC16/XMODEM, the one that Redis Cluster uses (Cluster specification, appendix A: "123456789" is 0x31c3). */
export function crc16(text: string | Buffer): number {
  let crc = 0;
  if (typeof text === 'string') {
    // Without a Buffer where all characters are ASCII, as in sessions.
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return crc16(Buffer.from(text));
      crc = ((crc << 8) & 0xffff) ^ CRC_TABLE[(crc >> 8) ^ code]!;
    }
    return crc;
  }
  for (const byte of text) crc = ((crc << 8) & 0xffff) ^ CRC_TABLE[((crc >> 8) ^ byte) & 0xff]!;
  return crc;
}

/** The hash slot of a tag in Redis Cluster. */
export function hashSlot(tag: string | Buffer): number {
  return crc16(tag) % SLOTS;
}

let lastName: string | undefined;
let lastPartition = 0;

/** The partition, 0 to 63, of a session (or of a group of notices). */
export function partitionOf(name: string): number {
  // Callers ask for the same session several times in a row.
  if (name !== lastName) {
    lastName = name;
    lastPartition = crc16(name) % PARTITIONS;
  }
  return lastPartition;
}
