import { describe, expect, it } from 'vitest';
import { PARTITIONS } from '../../src/redis/index.ts';
import { ownerOf } from '../../src/transport/streams/partition-balance.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
const owners = (instances: readonly string[]): string[] => all.map((partition) => ownerOf(partition, instances));

describe('the owner of a partition', () => {
  const random = new SeededRandom(9);
  const ids = (count: number): string[] => Array.from({ length: count }, () => random.bytes(8).toString('hex'));

  it('is the only instance where there is one', () => {
    expect(owners(['a'])).toEqual(all.map(() => 'a'));
  });

  it('is the same whatever the order in which the instances are known', () => {
    const instances = ids(5);
    expect(owners([...instances].reverse())).toEqual(owners(instances));
    expect(owners([...instances, instances[0]!])).toEqual(owners(instances));
  });

  it('changes only for the partitions of the instance that leaves', () => {
    for (let round = 0; round < 50; round += 1) {
      const instances = ids(2 + random.below(8));
      const [leaving, ...rest] = instances;
      const before = owners(instances);
      const after = owners(rest);
      for (const partition of all) {
        if (before[partition] === leaving) expect(rest).toContain(after[partition]);
        else expect(after[partition]).toBe(before[partition]);
      }
    }
  });

  it('is each instance for an even share, a tenth more or less on average; of a few nobody goes empty', () => {
    const rounds = 400;
    for (const count of [2, 3, 4, 8]) {
      let ofFirst = 0;
      for (let round = 0; round < rounds; round += 1) {
        const instances = ids(count);
        const owned = owners(instances);
        const shares = instances.map((id) => owned.filter((owner) => owner === id).length);
        ofFirst += shares[0]!;
        if (count <= 4) expect(Math.min(...shares)).toBeGreaterThan(0);
      }
      const even = PARTITIONS / count;
      expect(Math.abs(ofFirst / rounds - even)).toBeLessThan(even / 10);
    }
  });
});
