import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createConnection, type RedisConnection } from '../../../src/redis/index.ts';
import { findValkey } from '../../support/find-valkey.ts';
import { startTestSentinel, type TestSentinel } from '../../support/test-sentinel.ts';
import { pace, waitUntil } from '../../support/wait-until.ts';

const valkey = findValkey();
const servers = [{ name: 'Redis' }, ...(valkey === undefined ? [] : [{ name: 'Valkey', serverPath: valkey }])];
// A second until the master counts as down, up to two until the Sentinels act; a loaded machine takes longer.
const RECOVERY_MS = 15_000;

describe.each(servers)('a connection by the Sentinels of $name', ({ serverPath }) => {
  let sentinel: TestSentinel;
  let opened: RedisConnection[];

  const connect = (connection = createConnection(sentinel.url)): Promise<RedisConnection> => {
    opened.push(connection);
    return connection.connect();
  };

  beforeAll(async () => {
    sentinel = await startTestSentinel({ replicas: 2, ...(serverPath !== undefined && { serverPath }) });
  });
  afterAll(() => sentinel?.stop());
  beforeEach(() => {
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((connection) => connection.close()));
  });

  it('goes to the master, and is no Cluster', async () => {
    const redis = await connect();
    expect(await redis.command('SET', 'k', 'v')).toBe('OK');
    expect(redis.address).toBe(`127.0.0.1:${(await sentinel.master()).port}`);
    expect(redis.isCluster).toBe(false);
    expect(redis.masters()).toEqual([redis]);
    expect(createConnection(sentinel.url).address).toBe(
      `main of ${sentinel.sentinelPorts.map((port) => `127.0.0.1:${port}`).join(',')}`,
    );
    const twin = await connect(redis.duplicateFor('k', 'twin'));
    expect(await twin.command('GET', 'k')).toBe('v');
  });

  it('needs one Sentinel that is there', async () => {
    const port = sentinel.sentinelPorts.at(-1)!;
    const redis = await connect(createConnection(`redis+sentinel://127.0.0.1:1,127.0.0.1:${port}/main`));
    expect(await redis.command('PING')).toBe('PONG');
  });

  it('follows a failover that somebody asked for', async () => {
    const redis = await connect();
    const subscriber = await connect(redis.duplicate());
    const heard: string[] = [];
    await subscriber.subscribe('c', (message) => heard.push(message));
    await subscriber.subscribePatterns(['p:*'], (message) => heard.push(message));
    await redis.command('SET', 'before', 'kept');
    const before = redis.address;
    await sentinel.failover();
    // The old master stays one for another eight seconds: who does not listen to the Sentinels writes there until then.
    await waitUntil(
      'both are at the new master',
      () => [redis, subscriber].every((one) => one.isReady && one.address !== before),
      5_000,
    );
    await waitUntil('it takes writes', () => redis.command('SET', 'after', '1').then(Boolean, () => false));
    expect(await redis.command('GET', 'before')).toBe('kept');
    await redis.command('PUBLISH', 'c', 'channel');
    await redis.command('PUBLISH', 'p:1', 'pattern');
    await waitUntil('both are heard', () => heard.length === 2);
    expect(heard).toEqual(['channel', 'pattern']);
  });

  it('leaves a master that has become a replica behind its back', async () => {
    const redis = await connect();
    const [master] = await Promise.all([sentinel.master()]);
    const other = sentinel.nodes.find((node) => node !== master)!;
    const errors: string[] = [];
    redis.on('lost', (error) => errors.push(error.message));
    // No Sentinel knows of it, so none cuts the connection; soon they make it a master again.
    await master.command('REPLICAOF', '127.0.0.1', String(other.port));
    await expect(redis.command('SET', 'k', 'v')).rejects.toThrow('READONLY');
    await waitUntil('it is left', () => errors.some((message) => message.startsWith('READONLY')));
    expect(redis.isReady).toBe(false);
    await waitUntil('it does not take the replica for a master', () =>
      errors.some((message) => message.includes(`127.0.0.1:${master.port} is no master`)),
    );
    await master.command('REPLICAOF', 'NO', 'ONE');
    await waitUntil('it is back', () => redis.isReady, RECOVERY_MS);
    expect(await redis.command('SET', 'k', 'v')).toBe('OK');
  });

  it('follows when the master is killed under load, and nothing hangs', async () => {
    const redis = await connect();
    await redis.command('SET', 'kept', '1');
    await redis.command('WAIT', '1', '5000');
    let acknowledged = 0;
    let refused = 0;
    let isOver = false;
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (!isOver) {
          try {
            await redis.command('INCR', 'n');
            acknowledged += 1;
          } catch {
            refused += 1;
            await pace();
          }
        }
      }),
    );
    onTestFinished(async () => {
      isOver = true;
      await load;
    });
    await waitUntil('the load runs', () => acknowledged > 50);
    const victim = await sentinel.killMaster();
    await waitUntil('it is missed', () => !redis.isReady && refused > 0);
    await waitUntil('it is replaced', () => redis.isReady, RECOVERY_MS);
    const counted = acknowledged;
    await waitUntil('the load goes on', () => acknowledged > counted + 50);
    isOver = true;
    await load;
    expect(redis.address).not.toBe(`127.0.0.1:${victim.port}`);
    expect(await redis.command('GET', 'kept')).toBe('1');
    const value = Number(await redis.command('GET', 'n'));
    expect(value).toBeGreaterThanOrEqual(acknowledged - counted);
    expect(value).toBeLessThanOrEqual(acknowledged + refused);
    await sentinel.restart(victim);
  });

  it('asks another Sentinel where the first is gone or frozen', async () => {
    sentinel.killSentinel(0, 'SIGSTOP');
    onTestFinished(() => sentinel.killSentinel(0, 'SIGCONT'));
    const redis = await connect();
    expect(await redis.command('PING')).toBe('PONG');
  });
});

describe('the Sentinels', () => {
  let sentinel: TestSentinel;
  beforeAll(async () => {
    sentinel = await startTestSentinel({ sentinelPassword: 'only-for-sentinels' });
  });
  afterAll(() => sentinel?.stop());

  const failureOf = async (source: Parameters<typeof createConnection>[0]): Promise<string> => {
    const error = await createConnection(source)
      .connect()
      .then(
        () => undefined,
        (reason: Error) => reason,
      );
    expect(error).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    return error!.message;
  };

  it('may want a login of their own', async () => {
    const redis = await createConnection({ url: sentinel.url, sentinelPassword: 'only-for-sentinels' }).connect();
    onTestFinished(() => redis.close());
    expect(await redis.command('PING')).toBe('PONG');
    const message = await failureOf({ url: sentinel.url, sentinelPassword: 'wrong-one' });
    expect(message).toContain('No Sentinel says where the master "main" is.');
    expect(message).toContain('refused the login or the database (WRONGPASS)');
    expect(message).not.toContain('wrong-one');
  });

  it('are told where they do not know the master', async () => {
    const url = sentinel.url.replace('/main', '/other');
    expect(await failureOf({ url, sentinelPassword: 'only-for-sentinels' })).toMatch(
      /^The Sentinels know no master "other" \(other of 127\.0\.0\.1:.*\): check the name in redis\+sentinel:/,
    );
  });

  it('are told where nobody is there', async () => {
    expect(await failureOf('redis+sentinel://127.0.0.1:1/main')).toBe(
      'No Sentinel says where the master "main" is. Redis at 127.0.0.1:1 cannot be reached (ECONNREFUSED): is it running, and is the address right?',
    );
  });

  it('are told where they are servers', async () => {
    const message = await failureOf(`redis+sentinel://127.0.0.1:${sentinel.nodes[0]!.port}/main`);
    expect(message).toContain(`127.0.0.1:${sentinel.nodes[0]!.port} is no Sentinel`);
  });
});
