import type { RedisConnection } from '../redis/index.ts';
import { type Finding, good, note, problem } from './finding.ts';
import { judgeSettings } from './judge-server.ts';

/* judge-cluster.ts: checks that apply only to a Cluster. */

/** Judges the Cluster as a whole. */
export async function judgeCluster(redis: RedisConnection): Promise<Finding[]> {
  const info = await redis.command<string>('CLUSTER', 'INFO');
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1];
  const masters = redis.masters();
  const state = field('cluster_state');
  const whole =
    state === 'ok'
      ? good('cluster', `${masters.length} masters serve all slots.`)
      : problem('cluster', `The Cluster is "${state}": some slots have no master. See CLUSTER NODES.`);
  const lonely = await Promise.all(masters.map(hasNoReplica));
  const names = masters.filter((_, i) => lonely[i]).map(({ address }) => address);
  if (names.length === 0) return [whole];
  const coverage = await redis
    .command<Record<string, string>>('CONFIG', 'GET', 'cluster-require-full-coverage')
    .catch(() => ({}) as Record<string, string>);
  const stopsAll = note(
    'failover',
    'cluster-require-full-coverage is "yes": when one such master dies, the others refuse everything too. Set no.',
  );
  return [
    whole,
    ...(coverage['cluster-require-full-coverage'] === 'yes' ? [stopsAll] : []),
    note(
      'failover',
      `Without a replica: ${names.join(', ')}. If such a master dies, its sessions are away until it is back.`,
    ),
  ];
}

/** Judges the settings of all masters: once if they are equal, else each under its address. */
export async function judgeMasters(redis: RedisConnection): Promise<Finding[]> {
  const masters = redis.masters();
  const judged = await Promise.all(masters.map(judgeSettings));
  const alike = judged.every((findings) => JSON.stringify(findings) === JSON.stringify(judged[0]));
  if (alike) return judged[0] ?? [];
  return judged.flatMap((findings, i) =>
    findings.map((finding) => ({ ...finding, text: `${masters[i]!.address}: ${finding.text}` })),
  );
}

async function hasNoReplica(master: RedisConnection): Promise<boolean> {
  return /^connected_slaves:0\r?$/m.test(await master.command<string>('INFO', 'replication'));
}
