import type { Keys } from './keys.ts';
import { MetaMismatchError } from './meta-mismatch-error.ts';
import { PARTITIONS } from './partition.ts';
import type { RedisConnection } from './redis-connection.ts';
import { Script } from './script.ts';

/** The format of the keys that this version reads and writes. */
export const FORMAT_VERSION = 1;

/** How a seen filter is kept: in plain strings, or by the server's `BF.*`. */
export type FilterEngine = 'portable' | 'native';

/** What a namespace was made with. */
export interface Meta {
  readonly format: number;
  readonly partitions: number;
  readonly filter: FilterEngine;
  /** Of the item key; the secret cannot be computed from it. */
  readonly fingerprint: string;
}

/* Input: KEYS[1] the meta record; ARGV: field, value, field, value ...
   Output: the record as a flat list of fields and values, as it is now.
   Sets it if it is absent, all of it or nothing: two first starts cannot each win a part. */
const claimLua = `
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('HSET', KEYS[1], unpack(ARGV)) end
`;
const claimMeta = new Script<string[]>(`${claimLua}
return redis.call('HGETALL', KEYS[1])
`);
/* As above. It fails where Redis takes no writes, by a write that changes nothing: each record has a format. */
const claimMetaWriting = new Script<string[]>(`${claimLua}
redis.call('HSETNX', KEYS[1], 'format', '')
return redis.call('HGETALL', KEYS[1])
`);

/** Reads the record; undefined where the namespace is new. */
export async function readMeta(redis: RedisConnection, keys: Keys): Promise<Meta | undefined> {
  const record = await redis.command<Record<string, string>>('HGETALL', keys.meta());
  return Object.keys(record).length === 0 ? undefined : fromRecord(record);
}

/** Sets the record where it is absent and compares where it is not. `provesWrites`: it fails as well where Redis takes no
 *  writes now; default false.
 *  @throws MetaMismatchError with a sentence that says what to do. */
export async function claimOrCheckMeta(
  redis: RedisConnection,
  keys: Keys,
  ours: Omit<Meta, 'format' | 'partitions'>,
  provesWrites = false,
): Promise<Meta> {
  const fields = [
    'format',
    FORMAT_VERSION,
    'partitions',
    PARTITIONS,
    'filter',
    ours.filter,
    'fingerprint',
    ours.fingerprint,
  ];
  const flat = await (provesWrites ? claimMetaWriting : claimMeta).run(redis, [keys.meta()], fields);
  const record: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) record[flat[i]!] = flat[i + 1]!;
  const found = fromRecord(record);
  const where = `The namespace "${keys.namespace}" at ${redis.address}`;
  if (found.format !== FORMAT_VERSION || found.partitions !== PARTITIONS) {
    throw new MetaMismatchError(
      'WRONG_FORMAT',
      `${where} has format ${found.format} with ${found.partitions} partitions, and this version needs ${FORMAT_VERSION} with ${PARTITIONS}: use another --namespace or the version that made it.`,
    );
  }
  if (found.fingerprint !== ours.fingerprint) {
    throw new MetaMismatchError(
      'WRONG_KEY',
      `${where} was made with another secret, and with this one nothing in it could be read: set SESSIONWISE_SECRET to that secret, or use another --namespace.`,
    );
  }
  if (found.filter !== ours.filter) {
    throw new MetaMismatchError(
      'WRONG_FORMAT',
      `${where} keeps its seen filters with the ${found.filter} engine, not the ${ours.filter} one: set "filter.engine" to "${found.filter}", or use another --namespace.`,
    );
  }
  return found;
}

function fromRecord(record: Record<string, string>): Meta {
  return {
    format: Number(record.format),
    partitions: Number(record.partitions),
    filter: record.filter === 'native' ? 'native' : 'portable',
    fingerprint: record.fingerprint ?? '',
  };
}
