import { defineScript } from '../../../redis/index.ts';

/** Gives a partition back. */
export const releasePartition = defineScript({
  name: 'release-partition',
  keys: ['owner'],
  args: { token: 'text' },
  statuses: { released: 1, notOwner: 0 },
  output: 'released, or notOwner where the lease is lost',
  body: (status) => `
    if redis.call('GET', owner) ~= token then return ${status.notOwner} end
    redis.call('DEL', owner)
    return ${status.released}`,
});
