import { expect, it, onTestFinished } from 'vitest';
import { serveDashboard } from '../../src/dashboard/index.ts';
import { SessionClient } from '../../src/index.ts';
import { startService } from '../../src/service/index.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { useCluster } from '../support/use-cluster.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECRET = 'a secret of the tests, long enough';
const DEADLINE_MS = 30_000;
const cluster = useCluster();

type Parts = Readonly<Record<string, { readonly value?: unknown; readonly trouble?: string } | null>>;

it('the dashboard over a Cluster: each part of health has its value', { timeout: 90_000 }, async () => {
  const options = { redis: cluster.url, secret: SECRET, transport: 'streams' } as const;
  const service = await startService(options);
  const client = new SessionClient(options);
  const log = new RecordingLog();
  const dashboard = await serveDashboard({ redis: cluster.url, secret: SECRET, port: 0, log });
  onTestFinished(async () => {
    await Promise.all([dashboard.close(), client.close()]);
    await service.stop();
  });
  expect(await client.ready()).toBe(true);
  for (let i = 0; i < 10; i += 1) {
    await waitUntil(
      'it is answered',
      async () => (await client.request('pageview', `visitor${i}`, '/p')) !== undefined,
    );
  }
  const parts = ['instances', 'partitions', 'backlog', 'deadLetters', 'subjects', 'findings'];
  let data: Parts = {};
  await waitUntil(
    'all parts are there',
    async () => {
      data = (await (await fetch(`${dashboard.url}health/data`)).json()) as Parts;
      return parts.every((part) => data[part]?.value || data[part]?.trouble) && data.instances?.value !== undefined;
    },
    DEADLINE_MS,
  );
  expect(parts.filter((part) => data[part]!.trouble !== undefined)).toEqual([]);
  expect(data.instances!.value).toMatchObject([{ id: service.instance, state: 'there' }]);
  const { owners } = data.partitions!.value as { owners: string[] };
  expect(new Set(owners)).toEqual(new Set([service.instance]));
  const { sampled } = data.subjects!.value as { sampled: number };
  expect(sampled).toBeGreaterThan(0);
  expect(log.entries).toEqual([]);
});
