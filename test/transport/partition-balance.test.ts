import { describe, expect, it } from 'vitest';
import { PARTITIONS } from '../../src/redis/index.ts';
import { heirsOf, ownersOf } from '../../src/transport/streams/partition-balance.ts';
import { STREAMS_ON_ONE_SERVER } from '../../src/transport/streams/stream-of.ts';
import { SeededRandom } from '../support/seeded-random.ts';

/** How many of some partitions each instance has. */
const sharesIn = (owners: readonly string[], instances: readonly string[]): number[] =>
  instances.map((id) => owners.filter((owner) => owner === id).length);

describe('the owners of the partitions', () => {
  const random = new SeededRandom(9);
  const ids = (count: number): string[] => Array.from({ length: count }, () => random.bytes(8).toString('hex'));

  it('are the only instance where there is one', () => {
    expect(ownersOf(['a'])).toEqual(Array.from({ length: PARTITIONS }, () => 'a'));
  });

  it('are the same whatever the order in which the instances are known', () => {
    const instances = ids(5);
    expect(ownersOf([...instances].reverse())).toEqual(ownersOf(instances));
    expect(ownersOf([...instances, instances[0]!])).toEqual(ownersOf(instances));
  });

  it('have even shares, rounded up, of the streams that take the requests on one server', () => {
    for (const count of [2, 3, 4, 5, 8, 16, 40]) {
      for (let round = 0; round < 20; round += 1) {
        const instances = ids(count);
        const owners = ownersOf(instances);
        for (let first = 0; first < PARTITIONS; first += STREAMS_ON_ONE_SERVER) {
          const shares = sharesIn(owners.slice(first, first + STREAMS_ON_ONE_SERVER), instances);
          expect(Math.max(...shares)).toBe(Math.ceil(STREAMS_ON_ONE_SERVER / count));
        }
      }
    }
  });

  it('change for a share or two more than that of the instance that leaves', () => {
    for (const count of [2, 3, 4, 8]) {
      let moved = 0;
      const rounds = 100;
      for (let round = 0; round < rounds; round += 1) {
        const [leaving, ...rest] = ids(count);
        const before = ownersOf([leaving!, ...rest]);
        const after = ownersOf(rest);
        expect(after).not.toContain(leaving);
        moved += after.filter((owner, partition) => owner !== before[partition]).length / rounds;
      }
      expect(moved).toBeLessThan((3 * PARTITIONS) / count);
    }
  });

  it('take what is handed over to them in one step, and share out what a leaving instance had', () => {
    let differs = 0;
    for (let round = 0; round < 40; round += 1) {
      const instances = ids(3 + (round % 5));
      const owners = ownersOf(instances);
      for (const by of instances) {
        const heirs = heirsOf(instances, by);
        const others = ownersOf(instances.filter((instance) => instance !== by));
        for (const [partition, owner] of owners.entries()) {
          expect(heirs[partition]).toBe(owner === by ? others[partition] : owner);
          if (owner !== by && others[partition] !== owner) differs += 1;
        }
      }
    }
    // Shares without the instance that hands over are others: a third one would take the partition, and hand it over too.
    expect(differs).toBeGreaterThan(0);
    expect(heirsOf(['a'], 'a')).toEqual(ownersOf(['a']));
  });
});
