import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  type ConnectionOptions,
  createConnection,
  type RedisConnection,
  RedisUnavailableError,
  Script,
} from '../../src/redis/index.ts';
import { startOldRedis } from '../support/old-redis.ts';
import { startRedisProxy } from '../support/redis-proxy.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const PASSWORD = 'hunter2-very-secret';

const server = useRedis();
const opened: RedisConnection[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((redis) => redis.close()));
});

function connection(url: string | ConnectionOptions = server.url): RedisConnection {
  const redis = createConnection(url);
  opened.push(redis);
  return redis;
}

async function failureOf(redis: RedisConnection, deadlineMs?: number): Promise<RedisUnavailableError> {
  const error = await redis.connect(deadlineMs).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RedisUnavailableError);
  expect((error as RedisUnavailableError).code).toBe('REDIS_UNAVAILABLE');
  return error as RedisUnavailableError;
}

/** A port of this machine on which nobody listens. */
async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { port: number };
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

describe('the first connection to Redis', () => {
  it('says where nobody listens', async () => {
    const port = await freePort();
    expect((await failureOf(connection(`redis://127.0.0.1:${port}`))).message).toBe(
      `Redis at 127.0.0.1:${port} cannot be reached (ECONNREFUSED): is it running, and is the address right?`,
    );
    expect((await failureOf(connection('unix:///nowhere/redis.sock'))).message).toContain(
      'Redis at /nowhere/redis.sock cannot be reached (ENOENT)',
    );
  });

  it('gives up a server that takes the connection and says nothing', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.resume()));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as { port: number };
    expect((await failureOf(connection(`redis://127.0.0.1:${port}`), 50)).message).toContain('no answer in time');
    expect(sockets).toHaveLength(1);
    await waitUntil('the socket is closed', () => sockets.every((socket) => socket.readableEnded));
  });

  it('says that the password is wrong, or needed, and never shows it', async () => {
    const admin = await connection().connect();
    await admin.command('CONFIG', 'SET', 'requirepass', PASSWORD);
    try {
      const withPassword = (password: string) => ({ path: server.socketPath, password });
      for (const wrong of [server.url, withPassword(`${PASSWORD}x`)]) {
        const { message } = await failureOf(connection(wrong));
        expect(message).toMatch(/refused the login.*(NOAUTH|WRONGPASS).*check user, password and database number\.$/);
        expect(message).not.toContain(PASSWORD);
      }
      const redis = await connection(withPassword(PASSWORD)).connect();
      expect(await redis.command('PING')).toBe('PONG');
      expect(redis.address).toBe(server.socketPath);
    } finally {
      await admin.command('CONFIG', 'SET', 'requirepass', '');
    }
  });

  it('says that there is no such database', async () => {
    const error = await failureOf(connection({ path: server.socketPath, db: 99 }));
    expect(error.message).toContain('refused the login or the database (ERR DB index is out of range)');
  });
});

describe('a connection to Redis', () => {
  it('sends what is asked in one turn in one write', async () => {
    const proxy = await startRedisProxy(server.socketPath);
    onTestFinished(() => proxy.close());
    const redis = await connection(proxy.url).connect();
    await waitUntil('the handshake is over', async () => (await redis.command('PING')) === 'PONG');
    proxy.reset();
    await Promise.all(Array.from({ length: 20 }, () => redis.command('PING')));
    expect(proxy.commands()).toHaveLength(20);
    expect(proxy.roundTrips()).toBe(1);
  });

  it('reads and writes bytes as they are', async () => {
    const redis = await connection().connect();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await redis.command('SET', 'bytes', bytes);
    expect(await redis.commandForBuffers('GET', 'bytes')).toEqual(bytes);
  });

  it('does all of a transaction or says why not', async () => {
    const redis = await connection().connect();
    expect(
      await redis.transaction([
        ['SET', 'n', '1'],
        ['INCR', 'n'],
      ]),
    ).toEqual(['OK', 2]);
    await expect(
      redis.transaction([
        ['SET', 'text', 'x'],
        ['INCR', 'text'],
      ]),
    ).rejects.toThrow();
    await expect(redis.transaction([['NOSUCHCOMMAND']])).rejects.toThrow();
    expect(await redis.command('GET', 'n')).toBe('2');
  });

  it('hears patterns and channels, and stops hearing patterns', async () => {
    const [redis, subscriber] = [await connection().connect(), await connection().connect()];
    const heard: string[] = [];
    await subscriber.subscribePatterns(['a:*', 'b:?'], (message, channel) => heard.push(`${channel} ${message}`));
    await subscriber.subscribe('c', (message, channel) => heard.push(`${channel} ${message}`));
    expect(await redis.command('PUBLISH', 'a:1', '1')).toBe(1);
    expect(await redis.command('PUBLISH', 'b:22', '2')).toBe(0);
    expect(await redis.command('PUBLISH', 'b:2', '3')).toBe(1);
    expect(await redis.command('PUBLISH', 'c', '4')).toBe(1);
    await subscriber.unsubscribePatterns();
    expect(await redis.command('PUBLISH', 'a:1', '5')).toBe(0);
    expect(await redis.command('PUBLISH', 'c', '6')).toBe(1);
    await waitUntil('all is heard', () => heard.length === 4);
    expect(heard).toEqual(['a:1 1', 'b:2 3', 'c 4', 'c 6']);
  });
});

describe('a script over a connection to Redis', () => {
  const script = new Script<[string, string, number]>(`
    return { KEYS[1], ARGV[1], redis.call('INCR', 'runs') }`);

  it('is sent in full once per connection, and again where the server has forgotten it', async () => {
    const proxy = await startRedisProxy(server.socketPath);
    onTestFinished(() => proxy.close());
    const redis = await connection(proxy.url).connect();
    await redis.command('FLUSHALL');
    await redis.command('SCRIPT', 'FLUSH');
    proxy.reset();
    const sent = () => proxy.commands().map(([name]) => name);
    expect(await script.run(redis, ['k'], ['a'])).toEqual(['k', 'a', 1]);
    expect(sent()).toEqual(['EVAL']);
    proxy.reset();
    expect(await script.run(redis, ['k'], [7])).toEqual(['k', '7', 2]);
    expect(sent()).toEqual(['EVALSHA']);
    await redis.command('SCRIPT', 'FLUSH');
    proxy.reset();
    expect(await Promise.all([1, 2, 3].map((i) => script.run(redis, ['k'], [i])))).toEqual([
      ['k', '1', 3],
      ['k', '2', 4],
      ['k', '3', 5],
    ]);
    expect(await redis.command('GET', 'runs')).toBe('5');
  });

  it('is not overtaken by another script, even where the server knows only the other', async () => {
    const first = new Script<number>("redis.call('SET', KEYS[1], 'first') return 1");
    const second = new Script<string>("return redis.call('GET', KEYS[1])");
    const warm = await connection(server.url).connect();
    await second.run(warm, ['order'], []);
    const cold = await connection(server.url).connect();
    const [, seen] = await Promise.all([first.run(cold, ['order'], []), second.run(cold, ['order'], [])]);
    expect(seen).toBe('first');
  });

  it('that fails is not run again', async () => {
    const redis = await connection().connect();
    await redis.command('SET', 'tries', '0');
    const failing = new Script(`redis.call('INCR', 'tries') return redis.call('INCR', KEYS[1])`);
    await redis.command('SET', 'text', 'x');
    await expect(failing.run(redis, ['text'], [])).rejects.toThrow('not an integer');
    await expect(failing.run(redis, ['text'], [])).rejects.toThrow('not an integer');
    expect(await redis.command('GET', 'tries')).toBe('2');
  });
});

describe('a connection to Redis that is lost', () => {
  it('refuses at once while it is down, and comes back with its subscriptions', async () => {
    const redis = await connection(server.url).connect();
    const subscriber = await connection(server.url).connect();
    const heard: string[] = [];
    await subscriber.subscribePatterns(['p:*'], (message) => heard.push(message));
    await subscriber.subscribe('c', (message) => heard.push(message));
    let lost = 0;
    let back = 0;
    redis.on('lost', () => {
      lost += 1;
    });
    redis.on('ready', () => {
      back += 1;
    });
    const hanging = redis.command('BLPOP', 'nothing', '0').catch((error: Error) => error);

    server.kill('SIGKILL');
    expect(await hanging).toBeInstanceOf(Error);
    await waitUntil('both know', () => !redis.isReady && !subscriber.isReady);
    const before = performance.now();
    for (let i = 0; i < 100; i += 1) await expect(redis.command('PING')).rejects.toThrow();
    await expect(subscriber.command('PING')).rejects.toThrow();
    // A hundred refusals within the pause of one reconnect: none of them waited for anything.
    expect(performance.now() - before).toBeLessThan(1000);
    expect(lost).toBeGreaterThan(0);

    await server.restart();
    await waitUntil('both are back', () => redis.isReady && subscriber.isReady);
    expect(back).toBe(1);
    expect(await redis.command('PUBLISH', 'p:1', 'pattern')).toBe(1);
    expect(await redis.command('PUBLISH', 'c', 'channel')).toBe(1);
    await waitUntil('both are heard', () => heard.length === 2);
    expect(heard).toEqual(['pattern', 'channel']);
  });

  it('refuses a transaction too while it is down', async () => {
    const proxy = await startRedisProxy(server.socketPath);
    onTestFinished(() => proxy.close());
    const redis = await connection(proxy.url).connect();
    const lost = new Promise<void>((resolve) => {
      redis.once('lost', () => setImmediate(resolve));
    });
    proxy.cut();
    await lost;
    expect(redis.isReady).toBe(false);
    await expect(redis.transaction([['SET', 'late', '1']])).rejects.toThrow();
  });

  it('is given up where the server has frozen, and everything that waits is refused', async () => {
    const redis = await connection(server.url).connect();
    server.kill('SIGSTOP');
    const before = performance.now();
    const outcomes = await Promise.allSettled([redis.command('PING'), redis.command('PUBLISH', 'x', '')]);
    // Six seconds of silence, and slack for a loaded machine.
    expect(performance.now() - before).toBeLessThan(9000);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(redis.command('PING')).rejects.toThrow();
    server.kill('SIGCONT');
    await waitUntil('it is back', () => redis.isReady);
    expect(await redis.command('PING')).toBe('PONG');
  });

  it('takes no more where the server has frozen, and is given up though one goes on sending', async () => {
    const redis = await connection(server.url).connect();
    server.kill('SIGSTOP');
    let lost = 0;
    redis.on('lost', () => {
      lost += 1;
    });
    const sending = setInterval(() => {
      redis.command('PUBLISH', 'x', '').catch(() => undefined);
    }, 50);
    try {
      await waitUntil('nothing more is taken', () => !redis.isReady, 4_000);
      expect(lost).toBe(0);
      await waitUntil('the connection is given up', () => lost > 0, 12_000);
    } finally {
      clearInterval(sending);
    }
  });

  it('tells that it is reachable: with each ready, and when a server that was frozen for a while answers', async () => {
    const own = await startTestRedis();
    onTestFinished(async () => {
      own.kill('SIGCONT');
      await own.stop();
    });
    const redis = connection(own.url);
    const told: string[] = [];
    redis.on('ready', () => told.push('ready'));
    redis.on('lost', () => told.push('lost'));
    redis.on('reachable', () => told.push(`reachable, ready: ${redis.isReady}`));
    await redis.connect();
    expect(told).toEqual(['ready', 'reachable, ready: true']);
    told.length = 0;
    own.kill('SIGSTOP');
    const answers = Promise.all([redis.command('PING'), redis.command('PING')]);
    await waitUntil('nothing more is taken', () => !redis.isReady, 4_000);
    own.kill('SIGCONT');
    expect(await answers).toEqual(['PONG', 'PONG']);
    expect(told).toEqual(['reachable, ready: true']);
  });

  it('does not give up a server that is slow only', async () => {
    const redis = await connection().connect();
    let lost = 0;
    redis.on('lost', () => {
      lost += 1;
    });
    expect(await redis.command('BLPOP', 'nothing', '3')).toBeNull();
    expect(lost).toBe(0);
  });
});

describe('a connection to a server from before HELLO', () => {
  it('is told as too old, and at once', async () => {
    const old = await startOldRedis('5.0.14', '', { hello: false });
    onTestFinished(() => old.close());
    // A deadline beyond this test's own: only an answer of the server can end it.
    await expect(createConnection(old.url).connect(60_000)).rejects.toThrow(
      'is older than version 6: Sessionwise needs 6.2',
    );
  });
});

describe('closing a connection to Redis', () => {
  it('answers what was sent before, and never throws', async () => {
    const redis = await connection().connect();
    const answer = redis.command('PING');
    await redis.close();
    expect(await answer).toBe('PONG');
    await expect(redis.command('PING')).rejects.toThrow();
    await redis.close();
    redis.destroy();
    redis.destroy();
    await redis.close();
  });

  it('works on a connection that was never opened, or never came', async () => {
    const never = connection();
    await never.close();
    await never.close();
    const hopeless = connection('unix:///nowhere/redis.sock');
    let lost = 0;
    hopeless.on('lost', () => {
      lost += 1;
    });
    hopeless.open();
    await waitUntil('it tries again and again', () => lost >= 3);
    await hopeless.close();
    const then = lost;
    await hopeless.close();
    expect(lost).toBe(then);
  });

  it('waits a second at most for a server that has frozen', async () => {
    const redis = await connection(server.url).connect();
    server.kill('SIGSTOP');
    const answer = redis.command('PING').catch(() => 'refused');
    const before = performance.now();
    await redis.close();
    expect(performance.now() - before).toBeLessThan(3000);
    expect(await answer).toBe('refused');
    server.kill('SIGCONT');
  });
});
