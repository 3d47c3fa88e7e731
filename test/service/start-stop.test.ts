import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MetaMismatchError, RedisTooOldError, RedisUnavailableError } from '../../src/redis/index.ts';
import {
  HttpAddressError,
  SecretMissingError,
  type Service,
  type ServiceOptions,
  startService,
} from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { metricOf } from '../support/metric-of.ts';
import { startOldRedis } from '../support/old-redis.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { startRedisProxy } from '../support/redis-proxy.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { hasRedis7 } from '../support/test-server.ts';
import { useRedis } from '../support/use-redis.ts';
import { useServices } from '../support/use-services.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECRET = 'a secret of the tests, long enough';
const LOCAL = { host: '127.0.0.1', port: 0 };

const server = useRedis();
const { foreign, start } = useServices(server, SECRET);

async function failureOf<Failure extends Error>(
  kind: new (...args: never[]) => Failure,
  options: Partial<ServiceOptions>,
): Promise<Failure> {
  const error = await start(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(kind);
  // One sentence of what happened, one of what to do.
  expect((error as Error).message).toMatch(/^\S.*[.?]$/s);
  await nothingIsLeft();
  return error as Failure;
}

/** Waits until Redis has no connection of a service. */
function nothingIsLeft(): Promise<void> {
  return waitUntil('no connection is left', async () => {
    const clients = await foreign.redis.command<string>('CLIENT', 'LIST');
    return !clients.includes('name=sessionwise-');
  });
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sw-data-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function get(service: Service, path: string, method = 'GET'): Promise<{ status: number; text: string }> {
  const { host, port } = service.http!;
  const response = await fetch(`http://${host}:${port}${path}`, { method });
  return { status: response.status, text: await response.text() };
}

describe('the secret of a service', () => {
  it('is checked: another one refuses to start, and says what to do', async () => {
    const service = await start();
    await foreign.ask('pageview', 'a', '/a');
    await service.stop();
    const keys = await foreign.keys();
    const error = await failureOf(MetaMismatchError, { secret: 'another secret, long enough too' });
    expect(error.code).toBe('WRONG_KEY');
    expect(error.message).toContain('SESSIONWISE_SECRET');
    expect(await foreign.keys()).toEqual(keys);
    await start();
    expect(await foreign.ask('pageview', 'a', '/a')).toMatchObject({ totalPages: 2, previouslyVisited: true });
  });

  it('is missed where none is given and none may be generated', async () => {
    const error = await failureOf(SecretMissingError, { secret: undefined as never });
    expect(error).toMatchObject({
      code: 'SECRET_MISSING',
      message: expect.stringContaining('give startService the option secret'),
    });
    expect(await foreign.keys()).toEqual([]);
  });

  it('is missed where the namespace was made with one that is not here', async () => {
    await (await start()).stop();
    const dataDir = newFolder();
    const error = await failureOf(SecretMissingError, { secret: undefined as never, dataDir });
    expect(error.message).toContain('made with a secret');
    expect(() => statSync(join(dataDir, 'secret'))).toThrow('ENOENT');
  });

  it('must be long enough', async () => {
    const error = await failureOf(RangeError, { secret: 'short' });
    expect(error.message).not.toContain('"short"');
    expect(await foreign.keys()).toEqual([]);
  });

  it('is generated for a new namespace into a file for its owner, with a warning, and found again', async () => {
    const [dataDir, log] = [newFolder(), new RecordingLog()];
    const folder = join(dataDir, 'made', 'for it');
    const first = await start({ secret: undefined as never, dataDir: folder, log });
    const file = join(folder, 'secret');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = readFileSync(file, 'utf8');
    expect(secret.trim()).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(log.with('A secret was generated')).toEqual([{ file }]);
    expect(JSON.stringify(log.entries)).not.toContain(secret.trim());
    await foreign.ask('pageview', 'a', '/a');
    await first.stop();

    const again = new RecordingLog();
    await start({ secret: undefined as never, dataDir: folder, log: again });
    expect(again.with('A secret was generated')).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(secret);
    expect(await foreign.ask('pageview', 'a', '/a')).toMatchObject({ totalPages: 2, previouslyVisited: true });
  });

  it('that others can read is taken with a warning, as long as they can', async () => {
    const [dataDir, log] = [newFolder(), new RecordingLog()];
    const file = join(dataDir, 'secret');
    await (await start({ secret: undefined as never, dataDir })).stop();
    for (const mode of [0o640, 0o604, 0o600]) {
      chmodSync(file, mode);
      await (await start({ secret: undefined as never, dataDir, log })).stop();
    }
    expect(log.with('can be read by others')).toEqual([{ file }, { file }]);
    chmodSync(file, 0o644);
    await start({ dataDir: newFolder(), secret: readFileSync(file, 'utf8').trim(), log });
    expect(log.with('can be read by others')).toHaveLength(2);
  });

  it('is one where two instances make it at once', async () => {
    const dataDir = newFolder();
    await Promise.all([
      start({ secret: undefined as never, dataDir, sessionglob: '[a-m]*' }),
      start({ secret: undefined as never, dataDir, sessionglob: '[n-z]*' }),
    ]);
    expect(await foreign.ask('pageview', 'a', '/a')).toMatchObject({ totalPages: 1 });
    expect(await foreign.ask('pageview', 'z', '/a')).toMatchObject({ totalPages: 1 });
  });

  it('that is given wins over one that lies in the folder', async () => {
    const dataDir = newFolder();
    await (await start({ secret: undefined as never, dataDir })).stop();
    expect(await failureOf(MetaMismatchError, { dataDir })).toMatchObject({ code: 'WRONG_KEY' });
  });
});

describe('a service that cannot start', () => {
  it('says that the server is too old', async () => {
    const old = await startOldRedis('6.0.9');
    onTestFinished(() => old.close());
    const error = await failureOf(RedisTooOldError, { redis: old.url });
    expect(error.message).toBe(
      `Redis at ${old.url.slice('redis://'.length)} is version 6.0.9: Sessionwise needs 6.2 or newer.`,
    );
  });

  it('says that the namespace has format 1, what to do, and changes nothing', async () => {
    await (await start()).stop();
    await foreign.redis.command('HSET', 'sw:meta', 'format', '1');
    await foreign.redis.command('HSET', 'sw:{53t}:a:v', 'v', '3', 'd20000', '');
    const dump = async () =>
      Promise.all((await foreign.keys()).sort().map((key) => foreign.redis.commandForBuffers('DUMP', key)));
    const before = await dump();
    const error = await failureOf(MetaMismatchError, {});
    expect(error.code).toBe('WRONG_FORMAT');
    expect(error.message).toMatch(
      /^The namespace "sw" at .* has format 1 with 64 partitions, and this version needs 2 with 64\. What it knows cannot be converted: use another --namespace, or the version that made it \(docs\/operations\.md, Upgrades\)\.$/,
    );
    expect(await dump()).toEqual(before);
    await start({ namespace: 'sw2' });
  });

  it('says that Redis is not there', async () => {
    const error = await failureOf(RedisUnavailableError, { redis: 'unix:///nowhere/redis.sock' });
    expect(error.message).toContain('/nowhere/redis.sock cannot be reached (ENOENT)');
  });

  it('says which rules its user of Redis lacks', async () => {
    const lacks = [
      'ACL',
      'SETUSER',
      'narrow',
      'reset',
      'on',
      '>narrow',
      '~*',
      'resetchannels',
      '&sw:nothing',
      '+@all',
    ] as const;
    await foreign.redis.command(...lacks);
    onTestFinished(async () => {
      await foreign.redis.command('ACL', 'DELUSER', 'narrow');
    });
    const error = await failureOf(RedisUnavailableError, {
      redis: { path: server.socketPath, username: 'narrow', password: 'narrow' },
    });
    expect(error.message).toMatch(/NOPERM.*`sessionwise acl`, .* prints the rules\.$/);
  });

  it('leaves no timer behind when it is refused late', async () => {
    await foreign.redis.command(
      'ACL',
      'SETUSER',
      'late',
      'reset',
      'on',
      '>late',
      '~*',
      'resetchannels',
      '&async:*',
      '+@all',
    );
    onTestFinished(async () => {
      await foreign.redis.command('ACL', 'DELUSER', 'late');
    });
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const redis = { path: server.socketPath, username: 'late', password: 'late' };
    for (let i = 0; i < 5; i += 1) await failureOf(RedisUnavailableError, { redis, transport: 'both' });
    await waitUntil('the timers are gone', () => timers() <= before);
  });

  it('says that the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => {
      other.close();
    });
    await waitUntil('the port is taken', () => other.listening);
    const { port } = other.address() as AddressInfo;
    const error = await failureOf(HttpAddressError, { http: { host: '127.0.0.1', port } });
    expect(error).toMatchObject({
      code: 'HTTP_ADDRESS',
      message: expect.stringContaining(`127.0.0.1:${port} (EADDRINUSE)`),
    });
    expect(await foreign.publish('pageview', 'a', foreign.nextRequest(), '/a')).toBe(0);
  });

  it.each<Partial<ServiceOptions>>([
    { transport: 'stream' as never },
    { sessionglob: 'a:b*' },
    { namespace: 'A' },
    { seen: { exactLimit: -1 } },
    { seen: { errorRate: 7 } },
  ])('says that a value cannot be used: %j', async (options) => {
    const value = JSON.stringify(Object.values(Object.values(options)[0] as object).at(-1) ?? '');
    const error = await failureOf(RangeError, options);
    expect(error.message).toMatch(
      typeof Object.values(options)[0] === 'string' ? /"(a:b\*|A|stream)"/ : new RegExp(value),
    );
  });

  it('says that the server has no BF.* where the native engine is wanted', async () => {
    const info = '# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n';
    const bare = await startOldRedis('7.0.15', info);
    onTestFinished(() => bare.close());
    const commands = await foreign.redis.command<unknown[]>('COMMAND', 'INFO', 'bf.add');
    if (commands[0] === null) {
      const error = await failureOf(MetaMismatchError, { seen: { engine: 'native' } });
      expect(error).toMatchObject({ code: 'WRONG_FORMAT', message: expect.stringContaining('BF.*') });
      expect(await foreign.keys()).toEqual([]);
    }
  });
});

describe('the stop of a service', () => {
  it('finishes what is in hand, says good-bye and leaves no connection', async () => {
    const service = await start();
    const goodbyes: string[] = [];
    const listener = await foreign.redis.duplicate().connect();
    onTestFinished(() => listener.close());
    await listener.subscribe('async:_instances', (message) => {
      if (message.includes('"leaving":true')) goodbyes.push(JSON.parse(message).instance);
    });
    let answered = 0;
    const asked = Array.from({ length: 500 }, (_, i) =>
      foreign.askByInbox('pageview', `s${i}`, '/a').then((text) => {
        expect(JSON.parse(text)).toMatchObject({ totalPages: 1 });
        answered += 1;
      }),
    );
    // All of them are sent before this is answered, and the service has heard them or will.
    await foreign.redis.command('PING');
    await service.stop();
    await Promise.all(asked);
    expect(answered).toBe(500);
    expect(goodbyes).toEqual([service.instance]);
    expect(await metricOf(service.metrics.replyFailures)).toBe(0);
    expect(await foreign.publish('pageview', 's', foreign.nextRequest(), '/a')).toBe(0);
    await nothingIsLeft();
    await service.stop();
  });

  it('never throws where Redis is away', async () => {
    const own = await startTestRedis();
    onTestFinished(() => own.stop());
    const service = await start({ redis: own.url, http: LOCAL });
    own.kill('SIGKILL');
    await waitUntil('it knows', async () => (await get(service, '/readyz')).status === 503);
    await service.stop();
    await expect(get(service, '/healthz')).rejects.toThrow();
  });

  it.each(['channels', 'streams'] as const)(
    'ends within its deadline and a little where Redis has frozen (%s)',
    async (transport) => {
      const own = await startTestRedis();
      onTestFinished(() => own.stop());
      const service = await start({ redis: own.url, transport });
      own.kill('SIGSTOP');
      onTestFinished(() => own.kill('SIGCONT'));
      const before = performance.now();
      await service.stop(500);
      // 500 ms for what is in hand, a second to close the connections; the rest is slack.
      expect(performance.now() - before).toBeLessThan(4_000);
    },
  );
});

describe('a service that loses Redis', () => {
  it('serves again when it is back, data and all', async () => {
    const own = await startTestRedis({ persistence: true });
    const [service, log] = await (async () => {
      const recording = new RecordingLog();
      return [await start({ redis: own.url, http: LOCAL, log: recording }), recording] as const;
    })();
    let asking = await ForeignClient.connect(own.url);
    onTestFinished(async () => {
      await asking.close();
      await service.stop();
      await own.stop();
    });
    expect(await asking.ask('pageview', 'a', '/a')).toMatchObject({ totalPages: 1 });
    expect(await get(service, '/readyz')).toEqual({ status: 200, text: 'ready\n' });
    own.kill('SIGKILL');
    await waitUntil('it is not ready', async () => (await get(service, '/readyz')).status === 503);
    expect((await get(service, '/readyz')).text).toBe('The service is connecting to Redis.\n');
    expect((await get(service, '/healthz')).status).toBe(200);
    expect((await get(service, '/metrics')).status).toBe(200);
    await asking.close();
    await own.restart();
    await waitUntil('it is ready', async () => (await get(service, '/readyz')).status === 200);
    asking = await ForeignClient.connect(own.url);
    expect(await asking.ask('pageview', 'a', '/a')).toMatchObject({ totalPages: 2, previouslyVisited: true });
    expect(log.with('Redis is away')).toHaveLength(1);
    expect(log.with('Redis is back')).toHaveLength(1);
  });

  it.skipIf(!hasRedis7)('serves again after Redis was still loading its data when it came back', async () => {
    // Half a millisecond for each of 3,000 keys, with connections served meanwhile.
    const own = await startTestRedis({
      extraArgs: ['--key-load-delay', '500', '--loading-process-events-interval-bytes', '1024'],
    });
    const filling = await ForeignClient.connect(own.url);
    const service = await start({ redis: own.url, http: LOCAL });
    onTestFinished(async () => {
      await service.stop();
      await own.stop();
    });
    await Promise.all(
      Array.from({ length: 3000 }, (_, i) => filling.redis.command('SET', `fill:${i}`, 'x'.repeat(100))),
    );
    await filling.redis.command('SAVE');
    await filling.close();
    own.kill('SIGKILL');
    await own.restart();
    await waitUntil('it is ready', async () => (await get(service, '/readyz')).status === 200);
    const asking = await ForeignClient.connect(own.url);
    expect(await asking.redis.command('EXISTS', 'fill:2999')).toBe(1);
    expect(await asking.ask('pageview', 'a', '/a')).toMatchObject({ totalPages: 1 });
    await asking.close();
  });

  it('serves again where Redis cut its subscription only', async () => {
    const service = await start({ http: LOCAL });
    for (let i = 1; i <= 5; i += 1) {
      const clients = await foreign.redis.command<string>('CLIENT', 'LIST');
      const id = /id=(\d+) [^\n]*name=sessionwise-requests/.exec(clients)![1]!;
      await foreign.redis.command('CLIENT', 'KILL', 'ID', id);
      await waitUntil('it listens again', async () => (await foreign.publish('combo', 'a', '_1', '')) === 1);
      await waitUntil('it is ready', async () => (await get(service, '/readyz')).status === 200);
      expect(await foreign.ask('pageview', 'a', '/a')).toMatchObject({ totalPages: i });
    }
  });

  it('is not ready while it cannot hear', async () => {
    const service = await start({ http: LOCAL });
    const clients = await foreign.redis.command<string>('CLIENT', 'LIST');
    const id = /id=(\d+) [^\n]*name=sessionwise-requests/.exec(clients)![1]!;
    // No connection more: what hears requests cannot come back, while the other one stays.
    await foreign.redis.command('CONFIG', 'SET', 'maxclients', '1');
    try {
      await foreign.redis.command('CLIENT', 'KILL', 'ID', id);
      await waitUntil('it is not ready', async () => (await get(service, '/readyz')).status === 503);
    } finally {
      await foreign.redis.command('CONFIG', 'SET', 'maxclients', '1000');
    }
    await waitUntil('it is ready', async () => (await get(service, '/readyz')).status === 200);
    expect(await foreign.ask('pageview', 'a', '/a')).toMatchObject({ totalPages: 1 });
  });

  it('refuses with wrong-key where somebody else has made the namespace meanwhile', async () => {
    const proxy = await startRedisProxy(server.socketPath);
    onTestFinished(() => proxy.close());
    const log = new RecordingLog();
    const service = await start({ redis: proxy.url, http: LOCAL, log });
    onTestFinished(() => service.stop());
    expect(await foreign.ask('pageview', 'a', '/a')).toMatchObject({ totalPages: 1 });
    const meta = Object.entries(await foreign.redis.command<Record<string, string>>('HGETALL', 'sw:meta'));
    const setMeta = (record: [string, string][]) => foreign.redis.command('HSET', 'sw:meta', ...record.flat());
    const ask = () => foreign.ask('pageview', 'a', '/a') as Promise<{ error?: { code: string }; totalPages?: number }>;
    const answers = async (what: (reply: Awaited<ReturnType<typeof ask>>) => boolean) => {
      proxy.cut();
      await waitUntil('it listens', async () => (await foreign.publish('combo', 'a', '_1', '')) === 1);
      // Until the record is read again it is connecting; and what it hears before it can speak again stays unanswered.
      await waitUntil('it has checked', async () => {
        const reply = await ask().catch(() => undefined);
        return reply !== undefined && what(reply);
      });
    };

    await foreign.redis.command('FLUSHALL');
    await setMeta(meta.map(([field, value]) => [field, field === 'fingerprint' ? 'fedcba9876543210' : value]));
    await answers(({ error }) => error?.code === 'wrong-key');
    expect(await foreign.ask('surface', 'a', ['/a'])).toEqual({
      error: { code: 'wrong-key', message: expect.stringContaining('give that secret (SESSIONWISE_SECRET') },
    });
    expect(await foreign.keys()).toEqual(['sw:meta']);
    expect(await get(service, '/readyz')).toMatchObject({
      status: 503,
      text: expect.stringContaining('another secret'),
    });
    expect(log.entries.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual([
      { code: 'WRONG_KEY' },
    ]);
    expect(await metricOf(service.metrics.errors, { code: 'wrong-key' })).toBeGreaterThan(0);

    // Another format is no wrong key, but nothing can be served either.
    await setMeta([...meta, ['format', '99']]);
    await answers(({ error }) => error?.code === 'unavailable' && log.entries.at(-1)?.fields.code === 'WRONG_FORMAT');
    expect(await foreign.keys()).toEqual(['sw:meta']);

    // When the right record is back, so is the service; an empty Redis is one that is new.
    await setMeta(meta);
    await answers(({ totalPages }) => totalPages === 1);
    await foreign.redis.command('FLUSHALL');
    await answers(({ totalPages }) => totalPages === 1);
    expect(await foreign.redis.command('HGET', 'sw:meta', 'fingerprint')).toBe(Object.fromEntries(meta).fingerprint);
  });
});

describe('a service whose namespace was emptied by FLUSHALL', () => {
  const metaOf = (): Promise<Record<string, string>> => foreign.redis.command('HGETALL', 'sw:meta');

  it('sets the meta record again by itself, so that one with another secret is refused', async () => {
    const service = await start({ http: LOCAL });
    const meta = await metaOf();
    await foreign.redis.command('FLUSHALL');
    await waitUntil('the record is back', async () => (await metaOf()).fingerprint === meta.fingerprint, 2_000);
    const other = await startService({ redis: server.url, secret: 'another secret, long enough too' }).then(
      (started) => started.stop(),
      (error: unknown) => error,
    );
    expect(other).toMatchObject({ code: 'WRONG_KEY' });
    expect(await foreign.ask('pageview', 'a', '/a')).toMatchObject({ totalPages: 1 });
    expect((await get(service, '/readyz')).status).toBe(200);
  });

  it('gives way to one with another secret that was there first, and says so once', async () => {
    const log = new RecordingLog();
    const service = await start({ http: LOCAL, log });
    const meta = await metaOf();
    const other = Object.entries({ ...meta, fingerprint: 'fedcba9876543210' }).flat();
    await foreign.redis.transaction([['FLUSHALL'], ['HSET', 'sw:meta', ...other]]);
    await waitUntil(
      'it has seen it',
      async () => (await get(service, '/readyz')).text.includes('another secret'),
      2_000,
    );
    // One check more, which changes nothing.
    await foreign.redis.command('CONFIG', 'RESETSTAT');
    await waitUntil('it checks again', async () =>
      (await foreign.redis.command<string>('INFO', 'commandstats')).includes('cmdstat_evalsha'),
    );
    expect(await foreign.ask('pageview', 'a', '/a')).toMatchObject({ error: { code: 'wrong-key' } });
    expect(log.entries.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual([
      { code: 'WRONG_KEY' },
    ]);
    expect(await metaOf()).toMatchObject({ fingerprint: 'fedcba9876543210' });
  });
});

describe('the HTTP side of a service', () => {
  it('answers probes and metrics', async () => {
    const service = await start({ http: LOCAL });
    expect(await get(service, '/healthz')).toEqual({ status: 200, text: 'ok\n' });
    expect(await get(service, '/readyz')).toEqual({ status: 200, text: 'ready\n' });
    await foreign.ask('pageview', 'a', '/secret-page');
    await foreign.ask('surface', 'a', 'x');
    await foreign.redis.command('PUBLISH', 'ss:pageview:a*:r', '');
    await waitUntil('all is counted', async () => (await metricOf(service.metrics.refused)) === 1);
    const { status, text } = await get(service, '/metrics?x=1');
    expect(status).toBe(200);
    for (const line of [
      'sessionwise_requests_total{command="pageview"} 1',
      'sessionwise_requests_total{command="surface"} 1',
      'sessionwise_errors_total{command="surface",code="bad-payload"} 1',
      'sessionwise_refused_total{reason="malformed-topic"} 1',
      'sessionwise_replies_unclaimed_total 0',
      'sessionwise_overlap 0',
      'sessionwise_instances 1',
      'sessionwise_in_flight 0',
      'sessionwise_request_seconds_count{command="pageview"} 1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).not.toContain('secret-page');
  });

  it('knows nothing else', async () => {
    const service = await start({ http: LOCAL });
    expect((await get(service, '/')).status).toBe(404);
    expect((await get(service, '/healthz/x')).status).toBe(404);
    expect((await get(service, '/healthz', 'POST')).status).toBe(405);
    expect(await get(service, '/readyz', 'HEAD')).toEqual({ status: 200, text: '' });
  });

  it('is not there unless asked for', async () => {
    expect((await start()).http).toBeUndefined();
  });
});
