import type { Keys } from './keys.ts';
import { MetaMismatchError } from './meta-mismatch-error.ts';
import { claimMeta } from './meta-script.ts';
import { PARTITIONS } from './partition.ts';
import type { RedisConnection } from './redis-connection.ts';

/** The format of the keys that this version reads and writes. */
export const FORMAT_VERSION = 2;

/** How a seen filter is kept: in plain strings, or by the server's `BF.*`. */
export type FilterEngine = 'portable' | 'native';

/** The settings that a namespace was made with. */
export interface Meta {
  readonly format: number;
  readonly partitions: number;
  readonly filter: FilterEngine;
  /** Of the item key; the secret cannot be computed from it. */
  readonly fingerprint: string;
}

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
  const args = { format: FORMAT_VERSION, partitions: PARTITIONS, ...ours, provesWrites };
  const flat = await claimMeta.run(redis, { meta: keys.meta() }, args);
  const record: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) record[flat[i]!] = flat[i + 1]!;
  const found = fromRecord(record);
  const where = `The namespace "${keys.namespace}" at ${redis.address}`;
  if (!isFormat(found.format)) {
    throw new MetaMismatchError(
      'WRONG_FORMAT',
      `${where} has a record ${keys.meta()} that names no format, so it is not known what made it: use another --namespace, or delete that key where the namespace holds nothing else.`,
    );
  }
  if (found.format !== FORMAT_VERSION || found.partitions !== PARTITIONS) {
    throw new MetaMismatchError(
      'WRONG_FORMAT',
      `${where} has format ${found.format} with ${found.partitions} partitions, and this version needs ${FORMAT_VERSION} with ${PARTITIONS}. What it knows cannot be converted: use another --namespace, or the version that made it (docs/operations.md, Upgrades).`,
    );
  }
  if (found.fingerprint !== ours.fingerprint) {
    throw new MetaMismatchError(
      'WRONG_KEY',
      `${where} was made with another secret, and with this one nothing in it could be read: give that secret (SESSIONWISE_SECRET, or the option secret), or another namespace (--namespace, or the option namespace).`,
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

/** Whether a record names a format at all. */
export function isFormat(format: number): boolean {
  return Number.isInteger(format) && format > 0;
}

function fromRecord(record: Record<string, string>): Meta {
  return {
    format: Number(record.format),
    partitions: Number(record.partitions),
    filter: record.filter === 'native' ? 'native' : 'portable',
    fingerprint: record.fingerprint ?? '',
  };
}
