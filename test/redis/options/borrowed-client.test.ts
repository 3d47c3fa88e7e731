import * as bare from '@redis/client';
import * as full from 'redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createConnection, type RedisClient } from '../../../src/redis/index.ts';
import { startTestRedis } from '../../support/test-redis.ts';
import { useCluster } from '../../support/use-cluster.ts';

const SECRET = 'hunter2-very-secret';

// Users have the package `redis`, which adds modules to every client, or `@redis/client` alone.
describe.each([
  ['redis', full],
  ['@redis/client', bare as unknown as typeof full],
])('a client that somebody made with the package %s', (_, { createClient, createCluster, createSentinel }) => {
  const cluster = useCluster({ extraArgs: ['--user', 'shop', 'on', `>${SECRET}`, '~*', '&*', '+@all'] });

  const urls = (): { url: string }[] => cluster.nodes.map(({ url }) => ({ url }));
  const whoAmI = async (client: RedisClient): Promise<unknown> => {
    const redis = await createConnection(client).connect();
    onTestFinished(() => redis.close());
    expect(redis.isCluster).toBe(true);
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => redis.command('SET', key, key)));
    return Promise.all(redis.masters().map((master) => master.command('ACL', 'WHOAMI')));
  };

  it('for one server lends its address', async () => {
    const server = await startTestRedis();
    onTestFinished(() => server.stop());
    const client = createClient({ url: server.url });
    const redis = await createConnection(client).connect();
    onTestFinished(() => redis.close());
    expect(await redis.command('PING')).toBe('PONG');
    expect(client.isOpen).toBe(false);
  });

  it('for a Cluster lends its nodes, and its login from wherever it stands', async () => {
    const all = (name: string): string[] => [name, name, name];
    expect(await whoAmI(createCluster({ rootNodes: urls() }))).toEqual(all('default'));
    const defaults = { username: 'shop', password: SECRET };
    expect(await whoAmI(createCluster({ rootNodes: urls(), defaults }))).toEqual(all('shop'));
    const [{ url }] = urls() as [{ url: string }];
    const withLogin = { url: url.replace('//', `//shop:${SECRET}@`) };
    expect(await whoAmI(createCluster({ rootNodes: [withLogin] }))).toEqual(all('shop'));
    const [node] = cluster.nodes;
    const socket = { host: node!.host, port: node!.port };
    const client = createCluster({ rootNodes: [{ socket, ...defaults }] });
    expect(await whoAmI(client)).toEqual(all('shop'));
    expect(client.isOpen).toBe(false);
  });

  it('for a Cluster lends its TLS', () => {
    const tls = { tls: true, ca: 'the CA', servername: 'redis.example' } as const;
    const plain = createCluster({ rootNodes: [{ url: 'rediss://h:1' }] });
    expect(createConnection(plain).options).toEqual({ cluster: [{ host: 'h', port: 1 }], tls: true });
    const full = createCluster({ rootNodes: [{ url: 'rediss://h:1' }], defaults: { socket: tls } });
    expect(createConnection(full).options.tls).toEqual({ ca: 'the CA', servername: 'redis.example' });
  });

  it('of another kind is refused by what to give instead', () => {
    const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] });
    expect(() => createConnection(sentinel as unknown as RedisClient)).toThrow(
      'A client of createSentinel() keeps its Sentinels to itself: give redis+sentinel://[user:password@]h1:p1,h2:p2/master instead.',
    );
    const credentials = async () => ({ username: 'u', password: 'p' });
    const provider = { type: 'async-credentials-provider', credentials } as const;
    const cluster = createCluster({ rootNodes: [{ url: 'redis://h' }], defaults: { credentialsProvider: provider } });
    expect(() => createConnection(cluster)).toThrow('has its login from a credentialsProvider: give redis+cluster://');
    const stranger = { duplicate: () => undefined, sendCommand: () => undefined };
    expect(() => createConnection(stranger)).toThrow('is none of createClient() or createCluster()');
  });
});
