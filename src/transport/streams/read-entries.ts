import type { RedisConnection } from '../../redis/index.ts';
import { type RawEntry, TOO_LARGE } from './entry-size.ts';
import { readStreams } from './scripts/read-streams.ts';

/* read-entries.ts: reads streams by bytes. XREAD and XRANGE bound the number of entries only, and a producer may write
 * entries of hundreds of megabytes. So a script reads a few at a time and stops when there is enough. */

// How much one read takes at the most, in bytes of fields, but for its last entry.
const MAX_READ_BYTES = 1024 * 1024;

/** Describes a read of one stream. */
export interface ReadRequest {
  readonly key: string;
  /** The keys of its owner and its dead letters, and the token of the ownership. */
  readonly owner: string;
  readonly deadLetters: string;
  readonly token: string;
  /** The last entry that was read before, or `0-0`. */
  readonly position: string;
  readonly mostEntries: number;
  readonly mostBytes: number;
}

/** Result of a read of one stream. */
export interface ReadEntries {
  /** Whether more entries may follow. */
  readonly hasMore: boolean;
  readonly entries: readonly RawEntry[];
}

/** Reads the entries behind the positions, at most about a megabyte in all; in the order of the requests, so the last
 *  streams may be left out. In a Cluster all keys must share a slot. */
export async function readEntries(redis: RedisConnection, requests: readonly ReadRequest[]): Promise<ReadEntries[]> {
  const read = await readStreams.run(
    redis,
    {},
    { mostBytes: MAX_READ_BYTES, tooLarge: TOO_LARGE },
    {
      keys: requests.flatMap(({ key, owner, deadLetters }) => [key, owner, deadLetters]),
      args: requests.flatMap(({ token, position, mostEntries, mostBytes }) => [
        ...[token, position],
        ...[mostEntries, mostBytes],
      ]),
    },
  );
  return read.map(([hasMore, entries]) => ({ hasMore: hasMore === 1, entries }));
}
