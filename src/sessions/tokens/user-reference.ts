import { sessionOf } from '../../protocol/index.ts';
import { PARTITION_TAGS, partitionOf } from '../../redis/index.ts';

/** The longest user id, in characters. */
const MAX_USER_ID_LENGTH = 1024;

/** Makes a user's name in keys: 28 characters, the partition's hash tag and 25 of `[0-9a-z]`. It is a hash, because
 *  user ids are often names or addresses, and key names show in logs and tools.
 *  @throws RangeError for an invalid user id. */
export function userReference(userId: string): string {
  if (typeof userId !== 'string' || userId === '' || userId.length > MAX_USER_ID_LENGTH) {
    const given = typeof userId === 'string' ? `a string of ${userId.length} characters` : String(userId);
    throw new RangeError(`This is no user id: ${given}. Give a string of 1 to ${MAX_USER_ID_LENGTH} characters.`);
  }
  const reference = sessionOf(`user\0${userId}`);
  return `${PARTITION_TAGS[partitionOf(reference)]}${reference}`;
}
