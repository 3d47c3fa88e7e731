import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { inspectRedisServer } from '../../../src/redis/embedded/find-redis-server.ts';
import { createConnection, type RedisConnection, readCapabilities, Script } from '../../../src/redis/index.ts';
import { slotOfKey } from '../../../src/redis/key-slot.ts';
import { findValkey } from '../../support/find-valkey.ts';
import { startTestCluster, type TestClusterNode } from '../../support/test-cluster.ts';
import { hasRedis7, TEST_SERVER } from '../../support/test-server.ts';
import { useCluster } from '../../support/use-cluster.ts';
import { waitUntil } from '../../support/wait-until.ts';

const valkey = findValkey();
const servers = [{ name: 'Redis' }, ...(valkey === undefined ? [] : [{ name: 'Valkey', serverPath: valkey }])];

/** Longer than the pauses between attempts, of which there are several by then. */
const ATTEMPTS_MS = 1_000;

async function expectToWait(outcome: Promise<unknown>): Promise<void> {
  expect(await Promise.race([outcome, sleep(ATTEMPTS_MS, 'waits')])).toBe('waits');
}

describe.each(servers)('a connection to a Cluster of $name', ({ serverPath }) => {
  const cluster = useCluster({ masters: 3, ...(serverPath !== undefined && { serverPath }) });
  let redis: RedisConnection;
  const opened: RedisConnection[] = [];
  const shards = serverPath !== undefined || hasRedis7;

  const connect = async (connection = createConnection(cluster.url)): Promise<RedisConnection> => {
    opened.push(connection);
    return connection.connect();
  };
  /** The sum of what each node says. */
  const sum = async (section: string, pattern: RegExp): Promise<number> => {
    const infos = await Promise.all(cluster.nodes.map((node) => node.command<string>('INFO', section)));
    return infos.reduce((total, info) => total + Number(pattern.exec(info)?.[1] ?? 0), 0);
  };
  const indexOf = async (key: string): Promise<number> => (await cluster.masterOf(key)).index;

  beforeEach(async () => {
    redis = await connect();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((connection) => connection.close()));
  });

  it('sends each command to the master that has its key', async () => {
    const keys = Array.from({ length: 300 }, (_, i) => `key-${i}`);
    expect(await Promise.all(keys.map((key) => redis.command('SET', key, `of ${key}`)))).toEqual(keys.map(() => 'OK'));
    expect(await Promise.all(keys.map((key) => redis.command('GET', key)))).toEqual(keys.map((key) => `of ${key}`));
    const sizes = await Promise.all(cluster.nodes.map((node) => node.command<number>('DBSIZE')));
    expect(sizes.reduce((total, size) => total + size)).toBe(300);
    expect(Math.min(...sizes)).toBeGreaterThan(50);
    expect(redis.isCluster).toBe(true);
    expect(redis.masters().map(({ address }) => address)).toEqual(cluster.nodes.map(({ port }) => `127.0.0.1:${port}`));
    expect(redis.isReadyFor('any')).toBe(true);
    const bytes = Buffer.from([0, 255, 13, 10]);
    await redis.command('SET', bytes, bytes);
    expect(await redis.commandForBuffers('GET', bytes)).toEqual(bytes);
  });

  it('sends what is asked in one turn in one write, and in order', async () => {
    const reads = /^total_reads_processed:(\d+)/m;
    const before = await sum('stats', reads);
    await Promise.all(Array.from({ length: 100 }, (_, i) => redis.command('APPEND', 'one-key', `${i} `)));
    // Ours, and those of the INFO before and after; the Cluster's own bus is not counted.
    expect((await sum('stats', reads)) - before).toBeLessThan(20);
    const text = Array.from({ length: 100 }, (_, i) => `${i} `).join('');
    expect(await redis.command('GET', 'one-key')).toBe(text);
  });

  it('sends what has no key to one server, and refuses what means the keys of one', async () => {
    expect(await redis.command('PING')).toBe('PONG');
    const ids = await Promise.all(Array.from({ length: 20 }, () => redis.command<number>('CLIENT', 'ID')));
    expect(new Set(ids).size).toBe(1);
    await expect(redis.command('SCAN', '0')).rejects.toThrow('send it to each of masters()');
    await redis.command('SET', 'a', '1');
    await redis.command('SET', 'b', '1');
    const sizes = await Promise.all(redis.masters().map((master) => master.command<number>('DBSIZE')));
    expect(sizes.reduce((total, size) => total + size)).toBe(2);
  });

  it('does all of a transaction or says why not', async () => {
    const commands = [
      ['SET', '{t}n', '1'],
      ['INCR', '{t}n'],
    ];
    expect(await redis.transaction(commands)).toEqual(['OK', 2]);
    await expect(redis.transaction([...commands, ['INCR', '{u}n']])).rejects.toThrow();
    expect(await redis.command('GET', '{t}n')).toBe('2');
  });

  it('sends a script in full once to each master', async () => {
    const script = new Script<string>('return KEYS[1] .. ARGV[1]');
    await Promise.all(cluster.nodes.map((node) => node.command('CONFIG', 'RESETSTAT')));
    const keys = Array.from({ length: 300 }, (_, i) => `key-${i}`);
    expect(await Promise.all(keys.map((key) => script.run(redis, [key], ['!'])))).toEqual(keys.map((key) => `${key}!`));
    expect(await sum('commandstats', /^cmdstat_eval:calls=(\d+)/m)).toBe(3);
    expect(await sum('commandstats', /^cmdstat_evalsha:calls=(\d+)/m)).toBe(297);
  });

  it('hears channels and patterns, whichever server they were published to', async () => {
    const subscriber = await connect(redis.duplicate('subscriber'));
    const heard: string[] = [];
    await subscriber.subscribePatterns(['a:*'], (message, channel) => heard.push(`${channel} ${message}`));
    await subscriber.subscribe('c', (message, channel) => heard.push(`${channel} ${message}`));
    for (const node of cluster.nodes) {
      await node.command('PUBLISH', `a:${node.index}`, 'pattern');
      await node.command('PUBLISH', 'c', String(node.index));
    }
    await waitUntil('all is heard', () => heard.length === 6);
    expect([...heard].sort()).toEqual(['a:0 pattern', 'a:1 pattern', 'a:2 pattern', 'c 0', 'c 1', 'c 2']);
    await subscriber.unsubscribePatterns();
    await redis.command('PUBLISH', 'a:1', 'no more');
    await redis.command('PUBLISH', 'c', 'still');
    await waitUntil('the channel is heard', () => heard.includes('c still'));
    expect(heard).toHaveLength(7);
  });

  it.skipIf(!shards)('hears a channel of one shard on a connection of its own only', async () => {
    const heard: string[] = [];
    for (const channel of ['s1', 's2', 's3', 's4']) {
      const subscriber = await connect(redis.duplicateFor(channel));
      await subscriber.subscribeSharded(channel, (message) => heard.push(message));
      expect(await redis.command('SPUBLISH', channel, channel)).toBe(1);
    }
    await waitUntil('all is heard', () => heard.length === 4);
    expect([...heard].sort()).toEqual(['s1', 's2', 's3', 's4']);
    await expect(redis.subscribeSharded('s1', () => {})).rejects.toThrow('duplicateFor(channel)');
  });

  it('gives connections of their own that block, to the one server', async () => {
    for (const key of ['list-a', 'list-b', 'list-c', 'list-d']) {
      const blocking = await connect(redis.duplicateFor(key, 'blocking'));
      const popped = blocking.command('BLPOP', key, '10');
      await redis.command('RPUSH', key, 'x');
      expect(await popped).toEqual([key, 'x']);
      expect(blocking.address).toBe(`127.0.0.1:${cluster.nodes[await indexOf(key)]!.port}`);
    }
  });

  it('tells what it is connected to', async () => {
    const capabilities = await readCapabilities(redis);
    const { flavour, version } = (await inspectRedisServer(serverPath ?? TEST_SERVER.path))!;
    expect(capabilities).toMatchObject({ cluster: true, flavour, version });
    for (const master of redis.masters()) expect((await readCapabilities(master)).cluster).toBe(true);
    const single = await connect(createConnection(cluster.nodes[0]!.url));
    await expect(readCapabilities(single)).rejects.toThrow(
      `is a node of a Cluster: write redis+cluster://127.0.0.1:${cluster.nodes[0]!.port}`,
    );
    // Who does not ask for capabilities hears it from the first command that is another node's.
    const lone = await connect(createConnection(cluster.nodes[0]!.url));
    const refusals = await Promise.all(
      Array.from({ length: 20 }, (_, i) => lone.command('GET', `key-${i}`).catch((error: Error) => error.message)),
    );
    expect(refusals.filter((refusal) => refusal !== null).length).toBeGreaterThan(0);
    for (const refusal of refusals) {
      if (refusal !== null)
        expect(refusal).toMatch(/^MOVED: Redis at .* is a node of a Cluster: write redis\+cluster:/);
    }
  });

  describe('when a slot moves', () => {
    const key = '{moving}k';
    const slot = slotOfKey(key);
    const move = async (halfway?: () => Promise<unknown>): Promise<void> => {
      const from = await indexOf(key);
      await cluster.moveSlot(slot, from, (from + 1) % 3, halfway);
    };
    const fill = (count: number): Promise<unknown> =>
      Promise.all(Array.from({ length: count }, (_, i) => redis.command('SET', `{moving}${i}`, String(i))));

    it('follows it, with all that was on the way, in order', async () => {
      await redis.command('APPEND', key, 'begin ');
      await move();
      await Promise.all(Array.from({ length: 50 }, (_, i) => redis.command('APPEND', key, `${i} `)));
      expect(await redis.command('GET', key)).toBe(`begin ${Array.from({ length: 50 }, (_, i) => `${i} `).join('')}`);
      await Promise.all(cluster.nodes.map((node) => node.command('CONFIG', 'RESETSTAT')));
      await redis.command('GET', key);
      // It has learned: the next goes straight there.
      expect(await sum('commandstats', /^cmdstat_get:calls=(\d+)/m)).toBe(1);
      expect(await sum('commandstats', /^cmdstat_get:.*rejected_calls=(\d+)/m)).toBe(0);
    });

    it('finds keys at both ends while it moves', async () => {
      await fill(40);
      await move(async () => {
        const values = Array.from({ length: 40 }, (_, i) => redis.command('GET', `{moving}${i}`));
        expect(await Promise.all(values)).toEqual(Array.from({ length: 40 }, (_, i) => String(i)));
        const counts = Array.from({ length: 40 }, (_, i) =>
          redis.transaction([
            ['INCR', `{moving}${i}`],
            ['INCR', `{moving}${i}`],
          ]),
        );
        expect(await Promise.all(counts)).toEqual(Array.from({ length: 40 }, (_, i) => [i + 1, i + 2]));
      });
      expect(await redis.command('GET', '{moving}39')).toBe('41');
    });

    it('waits with a script of several keys until they are together', async () => {
      await fill(40);
      const script = new Script<number>(
        "local n = 0 for _, k in ipairs(KEYS) do n = n + redis.call('INCR', k) end return n",
      );
      const keys = Array.from({ length: 40 }, (_, i) => `{moving}${i}`);
      await script.run(redis, keys, []);
      let waiting: Promise<number> | undefined;
      await move(async () => {
        waiting = script.run(redis, keys, []);
        await expectToWait(waiting);
      });
      // 0 to 39, each two more.
      expect(await waiting).toBe(780 + 80);
    });

    // The old owner has none of them and says ASK, the new one has not all of them and says TRYAGAIN, again and again.
    // On Redis 6.2 that goes for every script of several keys.
    it('waits with a script of several keys of which one does not exist', async () => {
      await redis.command('SET', '{moving}there', '1');
      const script = new Script<number>("return redis.call('INCR', KEYS[1]) + redis.call('INCR', KEYS[2])");
      let waiting: Promise<number> | undefined;
      await move(async () => {
        waiting = script.run(redis, ['{moving}there', '{moving}not yet'], []);
        await expectToWait(waiting);
      });
      expect(await waiting).toBe(3);
    });

    it('loses and doubles nothing of what is written meanwhile', async () => {
      const counted = Array.from({ length: 20 }, () => 0);
      let isOver = false;
      const both = new Script<number>("redis.call('INCR', KEYS[2]) return redis.call('INCR', KEYS[1])");
      const load = counted.map(async (_, i) => {
        while (!isOver) {
          await Promise.all([
            redis.command('INCR', `{moving}one-${i}`),
            both.run(redis, [`{moving}two-${i}`, `{moving}three-${i}`], []),
            redis.transaction([['INCR', `{moving}four-${i}`]]),
            redis.command('XADD', `{moving}stream-${i}`, '*', 'n', String(counted[i])),
          ]);
          counted[i]! += 1;
        }
      });
      await waitUntil('something is written', () => counted.every((count) => count > 5));
      for (let round = 0; round < 5; round += 1) {
        const before = [...counted];
        await move();
        await waitUntil('the load goes on', () => counted.every((count, i) => count > before[i]!));
      }
      isOver = true;
      await Promise.all(load);
      for (const [i, count] of counted.entries()) {
        const names = ['one', 'two', 'three', 'four'];
        const values = await Promise.all(names.map((name) => redis.command('GET', `{moving}${name}-${i}`)));
        expect(values).toEqual(names.map(() => String(count)));
        const entries = await redis.command<[string, string[]][]>('XRANGE', `{moving}stream-${i}`, '-', '+');
        expect(entries.map(([, fields]) => Number(fields[1]))).toEqual(Array.from({ length: count }, (_, n) => n));
      }
    });

    it('goes there with a connection of its own', async () => {
      const blocking = await connect(redis.duplicateFor(key));
      const before = blocking.address;
      await move(async () => {
        // The key is there already and the slot is not.
        await redis.command('RPUSH', `{moving}list`, 'x');
        await waitUntil('it is popped', async () => {
          const popped = await blocking.command('BLPOP', '{moving}list', '1').catch(() => null);
          return popped !== null;
        });
      });
      await waitUntil('it is there', () => blocking.isReady && blocking.address !== before);
      expect(blocking.address).toBe(`127.0.0.1:${cluster.nodes[await indexOf(key)]!.port}`);
      const popped = blocking.command('BLPOP', '{moving}list', '5');
      await redis.command('RPUSH', '{moving}list', 'y');
      expect(await popped).toEqual(['{moving}list', 'y']);
    });

    it.skipIf(!shards)('goes on hearing a channel of it even where the news is missed', async () => {
      const heard: string[] = [];
      // A Cluster of its own to know: nobody else hears of the move.
      const other = await connect();
      const subscriber = await connect(other.duplicateFor(key));
      await subscriber.subscribeSharded(key, (message) => heard.push(message));
      // While a command waits for its answer the driver takes the end of a sharded subscription for part of it.
      const hanging = subscriber.command('WAIT', '1', '1000').catch(() => undefined);
      await move();
      await hanging;
      await waitUntil('it is heard at the new place', async () => (await redis.command('SPUBLISH', key, 'new')) === 1);
      await waitUntil('it is heard', () => heard.length === 1);
    });

    it.skipIf(!shards)('goes on hearing a channel of it', async () => {
      const heard: string[] = [];
      const subscriber = await connect(redis.duplicateFor(key));
      await subscriber.subscribeSharded(key, (message) => heard.push(message));
      await move();
      await waitUntil('it is heard at the new place', async () => (await redis.command('SPUBLISH', key, 'new')) === 1);
      await waitUntil('it is heard', () => heard.length === 1);
      expect(subscriber.address).toBe(`127.0.0.1:${cluster.nodes[await indexOf(key)]!.port}`);
    });
  });
});

describe('a connection to a Cluster', () => {
  const cluster = useCluster({ masters: 3 });

  const failureOf = async (source: Parameters<typeof createConnection>[0], deadlineMs?: number): Promise<string> => {
    const error = await createConnection(source)
      .connect(deadlineMs)
      .then(
        () => undefined,
        (reason: Error) => reason,
      );
    expect(error).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    return error!.message;
  };

  it('needs one node that is there', async () => {
    const [node] = cluster.nodes as [TestClusterNode];
    const redis = await createConnection(`redis+cluster://127.0.0.1:1,127.0.0.1:${node.port},127.0.0.1:2`).connect();
    onTestFinished(() => redis.close());
    expect(redis.masters()).toHaveLength(3);
    expect(redis.address).toBe(`127.0.0.1:1,127.0.0.1:${node.port},127.0.0.1:2`);
  });

  it('says where nobody is', async () => {
    expect(await failureOf('redis+cluster://127.0.0.1:1,127.0.0.1:2')).toBe(
      'No node of the Cluster at 127.0.0.1:1,127.0.0.1:2 says where the slots are. ' +
        'Redis at 127.0.0.1:1 cannot be reached (ECONNREFUSED): is it running, and is the address right? ' +
        'Redis at 127.0.0.1:2 cannot be reached (ECONNREFUSED): is it running, and is the address right?',
    );
  });

  it('names the masters that cannot be reached', async () => {
    const own = await startTestCluster({ masters: 3, extraArgs: ['--cluster-require-full-coverage', 'no'] });
    onTestFinished(() => own.stop());
    const [first, second] = own.nodes as [TestClusterNode, TestClusterNode];
    own.kill(second, 'SIGKILL');
    const message = await failureOf(`redis+cluster://127.0.0.1:${first.port}`, 5_000);
    expect(message).toContain(
      `The Cluster at 127.0.0.1:${first.port} has masters that cannot be reached from here: 127.0.0.1:${second.port} (ECONNREFUSED).`,
    );
  });

  it('says that a login is refused, and never shows the password', async () => {
    const secret = 'hunter2-very-secret';
    const url = cluster.url.replace('//', `//nobody:${secret}@`);
    const message = await failureOf(url);
    expect(message).toContain('refused the login or the database (WRONGPASS)');
    expect(message).not.toContain(secret);
    await cluster.nodes[0]!.command('ACL', 'SETUSER', 'narrow', 'on', `>${secret}`, '+ping', '+get', '~*');
    const narrow = await failureOf(`redis+cluster://narrow:${secret}@127.0.0.1:${cluster.nodes[0]!.port}`);
    expect(narrow).toContain('refused CLUSTER SLOTS (NOPERM): the user needs +cluster|slots');
    expect(narrow).not.toContain(secret);
  });

  it('refuses commands at once where it was closed or never opened', async () => {
    const redis = createConnection(cluster.url);
    await expect(redis.command('GET', 'k')).rejects.toMatchObject({ code: 'REDIS_NOT_READY' });
    await expect(redis.command('PING')).rejects.toMatchObject({ code: 'REDIS_NOT_READY' });
    await expect(redis.transaction([['SET', 'k', '1']])).rejects.toMatchObject({ code: 'REDIS_NOT_READY' });
    expect(redis.knownScripts('k').size + redis.knownScripts(undefined).size).toBe(0);
    expect([redis.isReady, redis.isConnected, redis.isReadyFor('k')]).toEqual([false, false, false]);
    expect(redis.masters()).toEqual([]);
    await redis.close();
    await redis.connect(100).catch(() => undefined);
    redis.destroy();

    const closed = await createConnection(cluster.url).connect();
    const answer = closed.command('PING');
    await closed.close();
    expect(await answer).toBe('PONG');
    await expect(closed.command('GET', 'k')).rejects.toMatchObject({ code: 'REDIS_NOT_READY' });
    await closed.close();
    closed.destroy();
  });

  it('leaves no connection behind', async () => {
    const clients = async (): Promise<number> => {
      const lists = await Promise.all(cluster.nodes.map((node) => node.command<string>('CLIENT', 'LIST')));
      return lists
        .join('\n')
        .split('\n')
        .filter((line) => line.includes('name=mine')).length;
    };
    const redis = await createConnection(cluster.url, 'mine').connect();
    await redis.subscribe('c', () => {});
    const own = await redis.duplicateFor('k', 'mine').connect();
    const twin = await redis.duplicate('mine').connect();
    expect(await clients()).toBe(3 + 1 + 1 + 3);
    await Promise.all([redis.close(), own.close()]);
    twin.destroy();
    await waitUntil('all are gone', async () => (await clients()) === 0);
  });
});
