import { describe, expect, it } from 'vitest';
import { diagnose, type Finding } from '../../src/doctor/index.ts';
import { judgeEviction, judgePersistence } from '../../src/doctor/judge-server.ts';
import { Keys, parseConnection } from '../../src/redis/index.ts';
import { startService } from '../../src/service/index.ts';
import { startTestCluster } from '../support/test-cluster.ts';
import { useRedis } from '../support/use-redis.ts';

const server = useRedis();
const { redis } = server;

describe('doctor', () => {
  it.each([
    [{ appendonly: 'yes', appendfsync: 'everysec', save: '60 1' }, ['good']],
    [{ appendonly: 'yes', appendfsync: 'always', save: '60 1' }, ['good']],
    [{ appendonly: 'yes', appendfsync: 'everysec', save: '' }, ['good', 'note']],
    [{ appendonly: 'yes', appendfsync: 'no', save: '60 1' }, ['problem']],
    [{ appendonly: 'no', appendfsync: 'everysec', save: '60 1' }, ['problem']],
    [{ appendonly: 'no', appendfsync: 'everysec', save: '' }, ['problem']],
    [{}, ['note']],
  ])('persistence %j -> %j', (settings, levels) => {
    expect(judgePersistence(settings).map(({ level }) => level)).toEqual(levels);
  });

  it.each([
    [{ maxmemory: '0', 'maxmemory-policy': 'noeviction' }, 'note'],
    [{ maxmemory: '1000000', 'maxmemory-policy': 'noeviction' }, 'good'],
    [{ maxmemory: '0', 'maxmemory-policy': 'allkeys-lru' }, 'problem'],
    [{ maxmemory: '1', 'maxmemory-policy': 'volatile-ttl' }, 'problem'],
    [{}, 'note'],
  ])('eviction %j -> %s', (settings, level) => {
    expect(judgeEviction(settings)).toEqual([expect.objectContaining({ level })]);
  });

  it.each([
    ['full', ['maxmemory', '1'], /OOM/],
    ['without the replicas that it wants', ['min-replicas-to-write', '1'], /NOREPLICAS/],
  ])('a server that is %s: says that it refuses writes, and in which words', async (_, setting, words) => {
    const writes = async (): Promise<readonly Finding[]> =>
      (await diagnose(parseConnection(server.url), 'sw')).filter(({ about }) => about === 'writes');
    expect(await writes()).toEqual([{ level: 'good', about: 'writes', text: 'Are taken.' }]);
    await redis.command('ZADD', new Keys('sw').due(0), '1', 'there');
    expect(await writes()).toMatchObject([{ level: 'good' }]);
    const before = await redis.command<number>('DBSIZE');
    await redis.command('CONFIG', 'SET', ...setting);
    expect(await writes()).toEqual([{ level: 'problem', about: 'writes', text: expect.stringMatching(words) }]);
    expect(await redis.command<number>('DBSIZE')).toBe(before);
  });

  it('a namespace of another secret: says that no service starts with this one, and judges none where none is given', async () => {
    const judged = async (secret?: string): Promise<readonly Finding[]> =>
      (await diagnose(parseConnection(server.url), 'sw', secret)).filter(({ about }) => about === 'namespace');
    const service = await startService({ redis: server.url, secret: 'the secret of the doctor’s tests' });
    await service.stop();
    expect(await judged('the secret of the doctor’s tests')).toMatchObject([{ level: 'good' }]);
    expect(await judged()).toMatchObject([{ level: 'good' }]);
    expect(await judged('another secret of these tests')).toEqual([
      { level: 'problem', about: 'namespace', text: expect.stringMatching(/made with another secret/) },
    ]);
  });

  it('a namespace of another format: says which one this version needs', async () => {
    const judged = async (): Promise<readonly Finding[]> =>
      (await diagnose(parseConnection(server.url), 'sw')).filter(({ about }) => about === 'namespace');
    const meta = new Keys('sw').meta();
    await redis.command('HSET', meta, 'format', '2', 'partitions', '64', 'filter', 'portable');
    expect(await judged()).toMatchObject([{ level: 'good', text: expect.stringContaining('format 2') }]);
    await redis.command('HSET', meta, 'format', '1');
    expect(await judged()).toEqual([
      { level: 'problem', about: 'namespace', text: expect.stringMatching(/format 1, .* needs 2: use another/) },
    ]);
  });

  it('a user who may not write: says so, and calls it no problem', async () => {
    await redis.command('ACL', 'SETUSER', 'looker', 'on', '>looks', '~*', '&*', '+@all', '-@write', '+eval');
    const url = server.url.replace('redis://', 'redis://looker:looks@');
    const findings = await diagnose({ ...parseConnection(url), username: 'looker', password: 'looks' }, 'sw');
    expect(findings.filter(({ about }) => about === 'writes')).toMatchObject([{ level: 'note' }]);
  });

  it('a Cluster: judges all masters, names the one with other settings and those without a replica', async () => {
    const cluster = await startTestCluster({ masters: 3 });
    try {
      const textsOf = async (about: string): Promise<string[]> =>
        (await diagnose(parseConnection(cluster.url), 'sw'))
          .filter((finding) => finding.about === about)
          .map(({ level, text }) => `${level}: ${text}`);
      expect(await textsOf('cluster')).toEqual(['good: 3 masters serve all slots.']);
      expect(await textsOf('failover')).toEqual([
        expect.stringMatching(/^note: cluster-require-full-coverage is "yes"/),
        expect.stringMatching(/^note: Without a replica: (.*:\d+, ){2}/),
      ]);
      expect(await textsOf('eviction')).toHaveLength(1);
      const [first] = cluster.nodes;
      await first!.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
      const eviction = await textsOf('eviction');
      expect(eviction).toHaveLength(3);
      expect(eviction.filter((text) => text.startsWith(`problem: 127.0.0.1:${first!.port}: `))).toHaveLength(1);
    } finally {
      await cluster.stop();
    }
  });
});
