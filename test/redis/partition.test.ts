import { describe, expect, it } from 'vitest';
import { sessionOf } from '../../src/protocol/index.ts';
import { crc16, hashSlot, PARTITION_TAGS, PARTITIONS, partitionOf } from '../../src/redis/index.ts';

const SLOTS = 16_384;

describe('crc16', () => {
  it("is the one of the Cluster specification's test vector", () => {
    expect(crc16('123456789')).toBe(0x31c3);
    expect(crc16('')).toBe(0);
    expect(hashSlot('123456789')).toBe(0x31c3 % SLOTS);
  });
});

describe('the partitions of sessions', () => {
  it('are 64, each with a tag of its own', () => {
    expect(PARTITIONS).toBe(64);
    expect(PARTITION_TAGS).toHaveLength(64);
    expect(new Set(PARTITION_TAGS).size).toBe(64);
    expect(PARTITION_TAGS.every((tag) => /^[0-9a-z]{3}$/.test(tag))).toBe(true);
  });

  it('lie in slots that are evenly spaced', () => {
    const slots = PARTITION_TAGS.map(hashSlot).sort((a, b) => a - b);
    const gaps = slots.map((slot, i) => (i === 0 ? slot + SLOTS - slots.at(-1)! : slot - slots[i - 1]!));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(258);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(254);
  });

  it.each([3, 6, 16])('fill %i masters evenly', (masters) => {
    const counts = Array.from({ length: masters }, () => 0);
    // Slot ranges as redis-cli --cluster create cuts them.
    for (const tag of PARTITION_TAGS) counts[Math.floor(hashSlot(tag) / (SLOTS / masters))]! += 1;
    expect(Math.max(...counts) / (PARTITIONS / masters)).toBeLessThanOrEqual(1.15);
  });

  it('are those of the CRC, whichever session was asked about before', () => {
    for (const session of ['a', 'b', 'a', '', 'a', 'a', '']) expect(partitionOf(session)).toBe(crc16(session) % 64);
  });

  it('are reached by sessions evenly', () => {
    const counts = Array.from({ length: PARTITIONS }, () => 0);
    const sessions = 64_000;
    for (let i = 0; i < sessions; i += 1) counts[partitionOf(sessionOf(`token-${i}`))]! += 1;
    // Even is 1,000 with a standard deviation of 31.4; the tokens are the same in each run.
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1150);
  });
});
