import { checkUserId, sessionOf } from '../../protocol/index.ts';
import { PARTITION_TAGS, partitionOf } from '../../redis/index.ts';

/** Makes a user's name in keys: 28 characters, the partition's hash tag and 25 of `[0-9a-z]`. It is a hash, because
 *  user ids are often names or addresses, and key names show in logs and tools.
 *  @throws RangeError for an invalid user id. */
export function userReference(userId: string): string {
  const reference = sessionOf(`user\0${checkUserId(userId)}`);
  return `${PARTITION_TAGS[partitionOf(reference)]}${reference}`;
}
