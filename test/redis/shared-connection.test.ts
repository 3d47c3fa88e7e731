import { createClient } from 'redis';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { type ConnectionOptions, type RedisConnection, shareConnection } from '../../src/redis/index.ts';
import { startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const server = useRedis();
const { redis } = server;
let made: RedisConnection[] = [];
afterEach(async () => {
  await Promise.all(made.splice(0).map((connection) => connection.close()));
  made = [];
});

function share(source: Parameters<typeof shareConnection>[0], name = 'one'): RedisConnection {
  const connection = shareConnection(source, name);
  made.push(connection);
  return connection;
}

/** The names of the connections to the server, without that of the tests. */
async function names(): Promise<string[]> {
  const list = await redis.command<string>('CLIENT', 'LIST');
  return Array.from(list.matchAll(/ name=(\S*)/g), ([, name]) => name!)
    .filter((name) => name !== 'test')
    .toSorted();
}

const isReady = (connection: RedisConnection): Promise<void> =>
  waitUntil('the connection is ready', () => connection.isReady);

describe('a shared connection', () => {
  it('is one for equal options, in whatever form they are given', async () => {
    const path = server.socketPath;
    for (const source of [server.url, { path }, { url: server.url }, { path, db: 0 }, { tls: false, path }]) {
      await share(source).connect();
    }
    expect(await names()).toEqual(['one']);
  });

  it('is another for another database, user or name of the server, and for the client of an application', async () => {
    await redis.command('ACL', 'SETUSER', 'ada', 'on', '>secret', 'allkeys', 'allcommands');
    const { socketPath: path } = server;
    const sources: ConnectionOptions[] = [{ path }, { path, db: 1 }, { path, username: 'ada', password: 'secret' }];
    const shares = sources.flatMap((source) => [share(source), share(source)]);
    await Promise.all(shares.map((connection) => connection.connect()));
    expect(await names()).toHaveLength(3);
    const client = createClient({ socket: { path, tls: false } });
    await Promise.all([share(client).connect(), share(client).connect()]);
    expect(await names()).toHaveLength(5);
    await shares[0]!.command('SET', 'key', 'of 0');
    expect(await Promise.all(shares.map((connection) => connection.command('GET', 'key')))).toEqual([
      'of 0',
      'of 0',
      null,
      null,
      'of 0',
      'of 0',
    ]);
  });

  it.each([0, 1])('lives on when share %i is closed, and ends with the last', async (first) => {
    const shares = [await share(server.url).connect(), await share(server.url).connect()];
    const [closing, staying] = [shares[first]!, shares[1 - first]!];
    await closing.close();
    expect(closing.isReady).toBe(false);
    await expect(closing.command('PING')).rejects.toThrow('closed');
    expect(await staying.command('PING')).toBe('PONG');
    await staying.close();
    await waitUntil('it has ended', async () => (await names()).length === 0);
    const next = await share(server.url).connect();
    expect(await next.command('PING')).toBe('PONG');
  });

  it('answers the commands of a share before it is closed', async () => {
    const [one, other] = [await share(server.url).connect(), await share(server.url).connect()];
    let answered = 0;
    for (let i = 0; i < 100; i += 1) void one.command('INCR', 'n').then(() => (answered += 1));
    await one.close();
    expect(answered).toBe(100);
    expect(await other.command('GET', 'n')).toBe('100');
  });

  it('tells each share once that it is ready, also one that comes later', async () => {
    const told: string[] = [];
    const listen = (connection: RedisConnection, name: string): void => {
      connection.on('ready', () => told.push(`${name} ready`));
      connection.on('lost', () => told.push(`${name} lost`));
      connection.open();
    };
    const first = share(server.url);
    listen(first, 'first');
    await isReady(first);
    const second = share(server.url);
    listen(second, 'second');
    expect(second.isReady).toBe(true);
    await waitUntil('both were told', () => told.length >= 2);
    expect(told).toEqual(['first ready', 'second ready']);
    await first.close();
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await waitUntil('it is back', () => told.filter((what) => what === 'second ready').length === 2);
    expect(told).toEqual(['first ready', 'second ready', 'second lost', 'second ready']);
  });

  it('waits for a Redis that is away, for all who share it', async () => {
    const proxy = await startRedisProxy(server.socketPath);
    const { url } = proxy;
    await proxy.close();
    const lost: number[] = [0, 0];
    const shares = [share(url), share(url)];
    for (const [i, connection] of shares.entries()) {
      connection.on('lost', () => (lost[i]! += 1));
      connection.open();
    }
    await waitUntil('both know', () => lost.every((times) => times > 0));
    await expect(shares[1]!.command('PING')).rejects.toThrow('does not answer now');
    await expect(share(url).connect(100)).rejects.toThrow('cannot be reached');
    expect(shares.map((connection) => connection.isReady)).toEqual([false, false]);
  });

  it('refuses subscriptions, and duplicates for them have connections of their own', async () => {
    const one = await share(server.url).connect();
    await expect(one.subscribe('channel', () => undefined)).rejects.toThrow('subscribe on a duplicate');
    const duplicate = await one.duplicate('subscriber').connect();
    onTestFinished(() => duplicate.close());
    await duplicate.subscribe('channel', () => undefined);
    expect(await names()).toEqual(['one', 'subscriber']);
  });
});
