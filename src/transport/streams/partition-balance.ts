import { hash } from 'node:crypto';
import { PARTITIONS } from '../../redis/index.ts';
import { STREAMS_ON_ONE_SERVER } from './stream-of.ts';

/* partition-balance.ts: assigns partitions to instances. Rendezvous hashing (Thaler, Ravishankar, 1998) with bounded loads
 * (Mirrokni, Thorup, Zadimoghaddam, 2016): every instance computes the same answer from the same set of instances; when
 * one comes or goes little more than its share moves; and of each group of partitions no instance has more than an even
 * share, rounded up. A group is as large as the number of streams that take the requests on one server. */

/** The instances that should own the partitions, in their order; `instances` must not be empty. */
export function ownersOf(instances: readonly string[]): string[] {
  const distinct = [...new Set(instances)];
  const most = Math.ceil(STREAMS_ON_ONE_SERVER / distinct.length);
  const owners: string[] = [];
  let owned = new Map<string, number>();
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    if (partition % STREAMS_ON_ONE_SERVER === 0) owned = new Map();
    const candidates = distinct.filter((instance) => (owned.get(instance) ?? 0) < most);
    const owner = heaviest(partition, candidates);
    owned.set(owner, (owned.get(owner) ?? 0) + 1);
    owners.push(owner);
  }
  return owners;
}

/** The instances that should own the partitions that `by` has just given back, in the order of all partitions; `instances`
 *  includes it. Where it is the one that should own a partition, it is leaving, and the others share out what it had. Where
 *  it is not, it hands over to the one that should, and stays: shares that were computed without it would give the
 *  partition to a third one, which would hand it over in turn, and so on. */
export function heirsOf(instances: readonly string[], by: string): string[] {
  const owners = ownersOf(instances);
  const others = instances.filter((instance) => instance !== by);
  if (others.length === 0 || !owners.includes(by)) return owners;
  const withoutIt = ownersOf(others);
  return owners.map((owner, partition) => (owner === by ? withoutIt[partition]! : owner));
}

function heaviest(partition: number, instances: readonly string[]): string {
  if (instances.length === 1) return instances[0]!;
  let best = '';
  let highest = '';
  for (const instance of instances) {
    const weight = hash('sha256', `${instance} ${partition}`);
    if (weight > highest) [best, highest] = [instance, weight];
  }
  return best;
}
