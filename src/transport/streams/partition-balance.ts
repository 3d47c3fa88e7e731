import { hash } from 'node:crypto';

/* partition-balance.ts: assigns partitions to instances. Rendezvous hashing (Thaler, Ravishankar, 1998): every instance
 * computes the same answer from the same list of instances, and when one comes or goes only its share moves. */

/** The instance that should own a partition; `instances` must not be empty. */
export function ownerOf(partition: number, instances: readonly string[]): string {
  let best = '';
  let highest = '';
  for (const instance of instances) {
    const weight = hash('sha256', `${instance} ${partition}`);
    if (weight > highest) [best, highest] = [instance, weight];
  }
  return best;
}
