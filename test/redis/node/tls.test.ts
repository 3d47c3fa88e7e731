import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type ConnectionOptions, createConnection } from '../../../src/redis/index.ts';
import { freePorts } from '../../support/free-ports.ts';
import { startTestCluster } from '../../support/test-cluster.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { hasTls } from '../../support/test-server.ts';
import { canMakeTls, makeTestTls, serverTlsArgs, type TestTls } from '../../support/test-tls.ts';
import { waitUntil } from '../../support/wait-until.ts';

describe.skipIf(!canMakeTls || !hasTls)('TLS to Redis', () => {
  let tls: TestTls;
  let ports: { any: number; known: number; plain: number };
  const servers: TestRedis[] = [];

  // Beyond the tests' own deadline: what cannot be mended by waiting must not wait.
  const failureOf = async (source: ConnectionOptions, deadlineMs = 60_000): Promise<string> => {
    const error = await createConnection(source)
      .connect(deadlineMs)
      .then(
        () => undefined,
        (reason: Error) => reason,
      );
    expect(error).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    return error!.message;
  };
  const ping = async (source: ConnectionOptions): Promise<unknown> => {
    const redis = await createConnection(source).connect();
    onTestFinished(() => redis.close());
    return redis.command('PING');
  };

  beforeAll(async () => {
    tls = makeTestTls();
    const [any, known, plain] = (await freePorts(3)) as [number, number, number];
    ports = { any, known, plain };
    servers.push(
      await startTestRedis({ extraArgs: [...serverTlsArgs(tls, any), '--bind', '127.0.0.1'] }),
      await startTestRedis({ extraArgs: [...serverTlsArgs(tls, known, 'yes'), '--bind', '127.0.0.1'] }),
      await startTestRedis({ extraArgs: ['--port', String(plain), '--bind', '127.0.0.1'] }),
    );
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    tls?.remove();
  });

  it('is spoken where the URL says so, with the CA that is given', async () => {
    expect(await ping({ url: `rediss://127.0.0.1:${ports.any}`, tls: { ca: tls.ca } })).toBe('PONG');
    expect(await ping({ host: 'localhost', port: ports.any, tls: { ca: tls.ca } })).toBe('PONG');
    expect(await ping({ url: `rediss://127.0.0.1:${ports.any}`, tls: { rejectUnauthorized: false } })).toBe('PONG');
  });

  it('survives reconnects, with subscriptions', async () => {
    const redis = await createConnection({ url: `rediss://127.0.0.1:${ports.any}`, tls: { ca: tls.ca } }).connect();
    onTestFinished(() => redis.close());
    const heard: string[] = [];
    await redis.subscribe('c', (message) => heard.push(message));
    let ready = 0;
    redis.on('ready', () => {
      ready += 1;
    });
    await servers[0]!.restart();
    await waitUntil('it is back', () => ready === 1);
    await redis.command('PUBLISH', 'c', 'm');
    await waitUntil('it is heard', () => heard.length === 1);
  });

  it('refuses a certificate that nobody vouches for, and says what to do', async () => {
    expect(await failureOf({ url: `rediss://127.0.0.1:${ports.any}` })).toMatch(
      /has a certificate that is not trusted \([A-Z_]+\): give its CA as "tls":\{"ca":"\.\.\."\}/,
    );
  });

  it('refuses a certificate that was made for another name', async () => {
    const options = { url: `rediss://127.0.0.1:${ports.any}`, tls: { ca: tls.ca, servername: 'redis.example' } };
    expect(await failureOf(options)).toContain('is not trusted (ERR_TLS_CERT_ALTNAME_INVALID)');
  });

  it('shows a certificate of ours where the server wants one', async () => {
    const url = `rediss://127.0.0.1:${ports.known}`;
    expect(await ping({ url, tls: { ca: tls.ca, cert: tls.cert, key: tls.key } })).toBe('PONG');
    expect(await failureOf({ url, tls: { ca: tls.ca } })).toMatch(/wants a certificate|cannot be reached/);
  });

  it('is told where the server speaks none', async () => {
    expect(await failureOf({ url: `rediss://127.0.0.1:${ports.plain}`, tls: { ca: tls.ca } }, 1_000)).toBe(
      `Redis at 127.0.0.1:${ports.plain} does not answer: if it speaks no TLS, write redis:// instead of rediss://.`,
    );
    const web = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void web.close());
    const { port } = web.address() as AddressInfo;
    expect(await failureOf({ url: `rediss://127.0.0.1:${port}` })).toMatch(/speaks no TLS there \(\w+\)/);
  });

  it('is told where the server wants it and the URL does not', async () => {
    expect(await failureOf({ port: ports.any }, 1_000)).toBe(
      `Redis at 127.0.0.1:${ports.any} closed the connection: if it wants TLS, write rediss:// instead of redis://.`,
    );
  });

  it('goes to all nodes of a Cluster', async () => {
    const cluster = await startTestCluster({ tls });
    onTestFinished(() => cluster.stop());
    expect(cluster.url).toMatch(/^rediss\+cluster:/);
    const redis = await createConnection({ url: cluster.url, tls: { ca: tls.ca } }).connect();
    onTestFinished(() => redis.close());
    const keys = Array.from({ length: 60 }, (_, i) => `key-${i}`);
    await Promise.all(keys.map((key) => redis.command('SET', key, key)));
    expect(await Promise.all(keys.map((key) => redis.command('GET', key)))).toEqual(keys);
    const seeds = new Set(cluster.url.match(/127\.0\.0\.1:\d+/g));
    expect(redis.masters().every(({ address }) => seeds.has(address))).toBe(true);
    const own = await redis.duplicateFor('key-0').connect();
    onTestFinished(() => own.close());
    expect(await own.command('GET', 'key-0')).toBe('key-0');
    expect(await failureOf({ url: cluster.url })).toContain('has a certificate that is not trusted');
  });
});
