import { HEARTBEAT_INTERVAL_MS, heartbeatChannel } from '../protocol/index.ts';
import { FORMAT_VERSION, isFormat, Keys, PARTITIONS, type RedisConnection, readMeta } from '../redis/index.ts';
import { Presence } from '../transport/index.ts';
import { type Finding, good, note, problem } from './finding.ts';

/* judge-namespace.ts: checks the data of a namespace and the instances that serve it. */

/** Judges the format of a namespace, and reports its partitions and filter engine. `fingerprint`: that of the secret which
 *  is at hand; without one the secret is not judged. */
export async function judgeNamespace(
  redis: RedisConnection,
  namespace: string,
  fingerprint?: string,
): Promise<Finding> {
  const keys = new Keys(namespace);
  const meta = await readMeta(redis, keys);
  if (!meta) return note('namespace', `"${namespace}" is new here: the first service makes it.`);
  if (!isFormat(meta.format)) {
    return problem(
      'namespace',
      `"${namespace}" has a record ${keys.meta()} that names no format, so it is not known what made it: use another --namespace, or delete that key where the namespace holds nothing else.`,
    );
  }
  if (meta.format !== FORMAT_VERSION) {
    return problem(
      'namespace',
      `"${namespace}" has format ${meta.format}, and this version needs ${FORMAT_VERSION}: use another --namespace, or the version that made it (docs/operations.md, Upgrades).`,
    );
  }
  if (fingerprint !== undefined && meta.fingerprint !== fingerprint) {
    return problem(
      'namespace',
      `"${namespace}" was made with another secret than SESSIONWISE_SECRET, and no service starts with this one: set that secret, or use another --namespace.`,
    );
  }
  return good(
    'namespace',
    `"${namespace}" has format ${meta.format}, ${meta.partitions} partitions, the ${meta.filter} filter engine.`,
  );
}

/** Judges whether Redis takes writes: it may be full, read-only or without the replicas that it wants. Changes nothing: an
 *  empty text written into a key leaves it as it is, but is refused as every write is. */
export async function judgeWrites(redis: RedisConnection, namespace: string): Promise<Finding> {
  const keys = new Keys(namespace);
  // A key of every partition: in a Cluster each master may refuse by itself.
  const refusals = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) =>
      redis.command('SETRANGE', keys.due(partition), '0', '').then(
        () => undefined,
        (error: Error) => (error.message.startsWith('WRONGTYPE') ? undefined : error.message),
      ),
    ),
  );
  const refusal = refusals.find((message) => message !== undefined);
  if (refusal === undefined) return good('writes', 'Are taken.');
  return refusal.startsWith('NOPERM')
    ? note('writes', 'This user may not write here: look as a user who may, to see whether writes are taken.')
    : problem('writes', `Are refused, so nothing new is kept. Redis says: ${refusal}`);
}

/** Judges the instances that serve a namespace. Listens to heartbeats for a second. */
export async function judgeInstances(redis: RedisConnection, namespace: string): Promise<Finding> {
  const presence = new Presence();
  const subscriber = redis.duplicate('sessionwise-doctor');
  await subscriber.connect();
  try {
    await subscriber.subscribe(heartbeatChannel(namespace), (message) => presence.receive(message));
    await new Promise((resolve) => setTimeout(resolve, 2 * HEARTBEAT_INTERVAL_MS));
  } finally {
    await subscriber.close();
  }
  return judgePresence(presence, namespace);
}

/** Judges the instances that are known from their heartbeats. */
export function judgePresence(presence: Presence, namespace: string): Finding {
  const instances = presence.present();
  if (instances.length === 0)
    return note('service', `No instance serves "${namespace}": pages degrade. Start one with sessionwise serve.`);
  const overlaps = instances.flatMap((instance) => presence.overlapping(instance));
  const globs = instances.map(({ glob }) => glob.text).join(', ');
  return overlaps.length === 0
    ? good('service', `${instances.length} serving: ${globs}.`)
    : problem(
        'service',
        `${instances.length} serving, and their globs overlap (${globs}): views count twice. Give them disjoint --sessionglob.`,
      );
}

/** Judges the requests that wait in the streams, and the dead letters. */
export async function judgeStreams(redis: RedisConnection, namespace: string): Promise<Finding[]> {
  const keys = new Keys(namespace);
  const sum = async (keyOf: (partition: number) => string): Promise<number> => {
    const lengths = await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) => redis.command<number>('XLEN', keyOf(partition))),
    );
    return lengths.reduce((total, length) => total + length, 0);
  };
  const [waiting, dead] = await Promise.all([
    sum((partition) => keys.requests(partition)),
    sum((partition) => keys.deadLetters(partition)),
  ]);
  const findings: Finding[] = [];
  if (waiting > 0)
    findings.push(note('streams', `${waiting} requests wait: growing, where no instance works them off.`));
  if (dead > 0) {
    findings.push(
      problem('streams', `${dead} ${dead === 1 ? 'dead letter' : 'dead letters'}: see sessionwise deadletters list.`),
    );
  }
  return findings;
}
