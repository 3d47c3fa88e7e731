import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createConnection,
  isAtLeast,
  type RedisConnection,
  RedisTooOldError,
  readCapabilities,
} from '../../src/redis/index.ts';
import { startOldRedis } from '../support/old-redis.ts';
import { startTestRedis } from '../support/test-redis.ts';

async function connectTo(url: string): Promise<RedisConnection> {
  const redis = await createConnection(url).connect();
  onTestFinished(() => redis.close());
  return redis;
}

describe('what a server can do', () => {
  it('is asked of the server itself', async () => {
    const server = await startTestRedis();
    onTestFinished(() => server.stop());
    const redis = await connectTo(server.url);
    const info = await redis.command<string>('INFO', 'server');
    const capabilities = await readCapabilities(redis);
    const valkey = /valkey_version:(.*)\r/.exec(info)?.[1];
    expect(capabilities).toMatchObject({
      flavour: valkey === undefined ? 'redis' : 'valkey',
      version: valkey ?? /redis_version:(.*)\r/.exec(info)![1],
      cluster: false,
    });
    // What the commands' own answers say: BF.ADD without arguments is known or unknown.
    const answer = await redis.command('BF.ADD').catch((error: Error) => error.message);
    expect(capabilities.bloom).toBe(!String(answer).includes('unknown command'));
  });

  it('is refused where a single address leads to a Cluster', async () => {
    const server = await startTestRedis({ extraArgs: ['--cluster-enabled', 'yes'] });
    onTestFinished(() => server.stop());
    const refused = readCapabilities(await connectTo(server.url));
    await expect(refused).rejects.toThrow(
      `Redis at ${server.socketPath} is a node of a Cluster: write redis+cluster://host:port, where more nodes may follow`,
    );
    await expect(refused).rejects.toMatchObject({ code: 'CONNECTION_OPTIONS' });
  });

  it.each(['6.0.9', '5.0.14', '2.8.0'])('is too little at version %s', async (version) => {
    const old = await startOldRedis(version);
    onTestFinished(() => old.close());
    const refused = readCapabilities(await connectTo(old.url));
    await expect(refused).rejects.toThrow(RedisTooOldError);
    await expect(refused).rejects.toThrow(`is version ${version}: Sessionwise needs 6.2 or newer.`);
    await expect(refused).rejects.toMatchObject({ code: 'REDIS_TOO_OLD' });
  });

  it.each(['6.2.0', '7.4.2', '10.0.0'])('is enough at version %s', async (version) => {
    const server = await startOldRedis(version);
    onTestFinished(() => server.close());
    expect(await readCapabilities(await connectTo(server.url))).toEqual({
      version,
      flavour: 'redis',
      cluster: false,
      bloom: false,
    });
  });

  it('goes by the version of Valkey where that is given', async () => {
    const info =
      '# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.3\r\nredis_mode:standalone\r\n';
    const server = await startOldRedis('7.2.4', info);
    onTestFinished(() => server.close());
    expect(await readCapabilities(await connectTo(server.url))).toMatchObject({ flavour: 'valkey', version: '8.1.3' });
  });
});

describe('versions of servers', () => {
  it('are compared as numbers, by the first two', () => {
    expect(isAtLeast('6.2', '6.2')).toBe(true);
    expect(isAtLeast('6.10.1', '6.2')).toBe(true);
    expect(isAtLeast('10.0', '6.2')).toBe(true);
    expect(isAtLeast('6.1.99', '6.2')).toBe(false);
    expect(isAtLeast('5.9', '6.2')).toBe(false);
    expect(isAtLeast('7', '6.2')).toBe(true);
    expect(isAtLeast('', '6.2')).toBe(false);
    expect(isAtLeast('unknown', '6.2')).toBe(false);
  });
});
