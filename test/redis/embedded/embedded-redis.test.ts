import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createClient } from 'redis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readEmbeddedAddress } from '../../../src/redis/embedded/embedded-address.ts';
import {
  type EmbeddedRedis,
  type EmbeddedRedisOptions,
  startEmbeddedRedis,
} from '../../../src/redis/embedded/embedded-redis.ts';
import { processBirth } from '../../../src/redis/embedded/process-mark.ts';
import { startTestRedis } from '../../support/test-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';

const BUILT = new URL('../../../dist/redis/embedded/embedded-redis.js', import.meta.url).href;

let dataDir: string;
let started: EmbeddedRedis[];
let parents: Parent[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sw-embedded-'));
  started = [];
  parents = [];
});

afterEach(async () => {
  for (const { child, redis } of parents) {
    child.kill('SIGKILL');
    await gone([redis]); // with its folder gone it would refuse to end, and be killed only 5 s later
  }
  for (const redis of started) await redis.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedRedisOptions> = {}): Promise<EmbeddedRedis> {
  const redis = await startEmbeddedRedis({ dataDir, ...options });
  started.push(redis);
  return redis;
}

/** One inline command over a raw connection, so that this file needs no more than the server. */
async function ask(redis: EmbeddedRedis, command: string): Promise<string> {
  const socket = redis.socketPath ? connect(redis.socketPath) : connect(redis.port ?? 0, '127.0.0.1');
  socket.write(`${command}\r\n`);
  const [reply] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return reply.toString();
}

/** The server and its watchdog. */
function family(pid: number): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=', '-o', 'ppid='], { encoding: 'utf8' }).trim().split('\n');
  const children = rows.map((row) => row.trim().split(/\s+/).map(Number)).filter(([, parent]) => parent === pid);
  return [pid, ...children.map(([child]) => child as number)];
}

/** Fails unless all of them end before the deadline; zombies have ended. */
async function gone(pids: readonly number[], deadlineMs = 5_000): Promise<void> {
  const alive = () => pids.filter((pid) => processBirth(pid) !== undefined);
  await waitUntil('they are gone', () => alive().length === 0, deadlineMs).catch(() => {});
  expect(alive()).toEqual([]);
}

interface Parent {
  readonly child: ChildProcess;
  readonly redis: number;
}

/** A node process that starts an embedded Redis in `folder`, then does `then`. */
async function startParent(folder: string, then = 'setInterval(() => {}, 1000);'): Promise<Parent> {
  const script = `import { startEmbeddedRedis } from ${JSON.stringify(BUILT)};
    const redis = await startEmbeddedRedis({ dataDir: ${JSON.stringify(folder)} });
    process.stdout.write(redis.pid + '\\n');
    ${then}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const parent = { child, redis: Number(line.toString()) };
  parents.push(parent);
  return parent;
}

describe('the embedded Redis', () => {
  it('answers on a private Unix socket in the data folder', async () => {
    const redis = await start();
    expect(redis.url).toBe(`unix://${join(dataDir, 'redis.sock')}`);
    expect(redis.socketPath).toBe(join(dataDir, 'redis.sock'));
    expect(statSync(redis.socketPath ?? '').mode & 0o777).toBe(0o700);
    expect(await ask(redis, 'PING')).toBe('+PONG\r\n');
    expect(await ask(redis, 'INFO server')).toContain(`process_id:${redis.pid}\r\n`);
    expect(redis.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await ask(redis, 'CONFIG GET port')).toContain('$1\r\n0\r\n');
  });

  it('lets nobody else read its files', async () => {
    const redis = await start();
    await ask(redis, 'SET colour blue');
    const files = readdirSync(join(dataDir, 'redis'), { recursive: true, withFileTypes: true });
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(statSync(join(file.parentPath, file.name)).mode & 0o077).toBe(0);
  });

  it('keeps an AOF and a snapshot each minute, or nothing', async () => {
    const durable = await start();
    expect(await ask(durable, 'CONFIG GET appendonly')).toContain('yes');
    expect(await ask(durable, 'CONFIG GET appendfsync')).toContain('everysec');
    expect(await ask(durable, 'CONFIG GET save')).toContain('60 1');
    await durable.stop();
    const passing = await start({ persistence: false });
    expect(await ask(passing, 'CONFIG GET appendonly')).toContain('no');
    expect(await ask(passing, 'CONFIG GET save')).toContain('$0\r\n');
  });

  it('listens on a loopback port instead, where one is given', async () => {
    const port = await freePort();
    const redis = await start({ port, extraArgs: ['--maxmemory', '50mb'] });
    expect(redis.url).toBe(`redis://127.0.0.1:${port}`);
    expect(redis.socketPath).toBeUndefined();
    expect(await ask(redis, 'CONFIG GET bind')).toContain('127.0.0.1');
    expect(await ask(redis, 'CONFIG GET maxmemory')).toContain(String(50 * 1024 * 1024));
  });

  it('has its socket in a fresh folder where the data folder is too long a path', async () => {
    const long = join(dataDir, 'x'.repeat(60), 'ü y'.repeat(10));
    const redis = await start({ dataDir: long });
    const socketPath = redis.socketPath ?? '';
    expect(socketPath.startsWith(tmpdir())).toBe(true);
    expect(statSync(dirname(socketPath)).mode & 0o777).toBe(0o700);
    expect(await ask(redis, 'SET colour blue')).toBe('+OK\r\n');
    await redis.stop();
    expect(existsSync(dirname(socketPath))).toBe(false);
    expect(await ask(await start({ dataDir: long }), 'GET colour')).toContain('blue');
  });

  it('leaves its address while it runs', async () => {
    expect(readEmbeddedAddress(dataDir)).toBeUndefined();
    const redis = await start();
    expect(readEmbeddedAddress(dataDir)).toBe(redis.url);
    const left = JSON.parse(readFileSync(join(dataDir, 'redis.json'), 'utf8'));
    expect(left).toMatchObject({ url: redis.url, pid: redis.pid, startedBy: process.pid });
    await redis.stop();
    expect(existsSync(join(dataDir, 'redis.json'))).toBe(false);
    writeFileSync(join(dataDir, 'redis.json'), JSON.stringify(left));
    expect(readEmbeddedAddress(dataDir)).toBeUndefined();
  });
});

describe('the data of the embedded Redis', () => {
  it('survive stop and start', async () => {
    const first = await start();
    await ask(first, 'SET colour blue');
    await first.stop();
    expect(await ask(await start(), 'GET colour')).toBe('$4\r\nblue\r\n');
  });

  it('survive a SIGKILL of the server as soon as they are acknowledged', async () => {
    const redis = await startTestRedis({ persistence: true });
    const write = createClient({ socket: { path: redis.socketPath, tls: false, reconnectStrategy: false } }).on(
      'error',
      () => {},
    );
    await write.connect();
    for (let n = 0; n < 100; n++) await write.rPush('list', String(n));
    const before = redis.pid;
    redis.kill('SIGKILL');
    await redis.restart();
    expect(redis.pid).not.toBe(before);
    const read = await createClient({ socket: { path: redis.socketPath, tls: false } }).connect();
    expect(await read.lLen('list')).toBe(100);
    read.destroy();
    if (write.isOpen) write.destroy();
    await redis.stop();
    expect(existsSync(redis.dataDir)).toBe(false);
  });
});

describe('nothing is left of the embedded Redis', () => {
  it('after stop(), called twice', async () => {
    const redis = await start();
    const pids = family(redis.pid);
    expect(pids.length).toBe(2);
    await Promise.all([redis.stop(), redis.stop()]);
    expect(pids.filter((pid) => processBirth(pid) !== undefined)).toEqual([]);
    expect(await redis.exited).toBe(0);
    expect(readdirSync(dataDir)).toEqual(['redis']);
  });

  it('after a SIGKILL of the server', async () => {
    const redis = await start();
    const pids = family(redis.pid);
    redis.kill('SIGKILL');
    expect(await redis.exited).toBeNull();
    expect(pids.filter((pid) => processBirth(pid) !== undefined)).toEqual([]);
    expect(readdirSync(dataDir)).toEqual(['redis']);
  });

  it('of a server that a test has stopped with SIGSTOP', async () => {
    const redis = await start();
    redis.kill('SIGSTOP');
    const before = performance.now();
    await redis.stop();
    expect(performance.now() - before).toBeLessThan(3_000);
  });

  it('after a SIGKILL of the parent, and the data are written', async () => {
    const { child, redis } = await startParent(dataDir);
    const pids = family(redis);
    expect(pids.length).toBe(2);
    const url = readEmbeddedAddress(dataDir) ?? '';
    const client = await createClient({ socket: { path: url.slice('unix://'.length), tls: false } })
      .on('error', () => {})
      .connect();
    await client.set('colour', 'blue');
    client.destroy();
    child.kill('SIGKILL');
    await gone(pids);
    expect(readEmbeddedAddress(dataDir)).toBeUndefined();
    expect(await ask(await start(), 'GET colour')).toBe('$4\r\nblue\r\n');
  });

  it('even of a server that refuses to end, because it cannot write its snapshot', { timeout: 20_000 }, async () => {
    const { child, redis } = await startParent(dataDir);
    const pids = family(redis);
    parents = [];
    const client = await createClient({ socket: { path: join(dataDir, 'redis.sock'), tls: false } })
      .on('error', () => {})
      .connect();
    await client.set('colour', 'blue');
    client.destroy();
    rmSync(dataDir, { recursive: true });
    child.kill('SIGKILL');
    await gone(pids, 15_000);
  });

  it('when the parent just comes to its end: the server does not keep it alive', async () => {
    const { child, redis } = await startParent(dataDir, '');
    if (child.exitCode === null) expect(await once(child, 'exit')).toEqual([0, null]);
    await gone([redis]);
  });

  it('Ctrl-C in the terminal reaches the parent only', async () => {
    const redis = await start();
    const group = (pid: number) => execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    expect(group(redis.pid)).not.toBe(group(process.pid));
  });
});

describe('the data folder of the embedded Redis', () => {
  it('is refused to a second server of the same process', async () => {
    const first = await start();
    const second = start();
    await expect(second).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
    await expect(second).rejects.toThrow(
      `A Redis already runs in ${dataDir} (started by process ${process.pid}, is process ${first.pid}). Stop it,`,
    );
    expect(await ask(first, 'PING')).toBe('+PONG\r\n');
    expect(readEmbeddedAddress(dataDir)).toBe(first.url);
  });

  it('is refused while another process has a server there', async () => {
    const { child } = await startParent(dataDir);
    await expect(start()).rejects.toThrow(`started by process ${child.pid},`);
  });

  it('goes to exactly one of many that wait for the end of the same dead lock', async () => {
    const dying = spawn('sleep', ['60']);
    const server = { pid: dying.pid, birth: processBirth(dying.pid ?? 0) };
    const lock = { startedBy: { pid: 2 ** 22 + 1, birth: '1' }, server, socketPath: join(dataDir, 'redis.sock') };
    writeFileSync(join(dataDir, 'redis.lock'), JSON.stringify(lock));
    const all = Promise.allSettled(Array.from({ length: 8 }, () => start()));
    const drafts = () => readdirSync(dataDir).filter((name) => name.startsWith('redis.lock.'));
    await waitUntil('all of them wait', () => drafts().length === 8);
    dying.kill('SIGKILL');
    expect((await all).map(({ status }) => status).sort()).toEqual(['fulfilled', ...Array(7).fill('rejected')]);
    expect(drafts()).toEqual([]);
  });

  it('is taken over from a parent that was killed a moment ago', async () => {
    const { child, redis } = await startParent(dataDir);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const ours = await start();
    expect(processBirth(redis)).toBeUndefined();
    expect(await ask(ours, 'PING')).toBe('+PONG\r\n');
  });

  it('is taken over when the pid in the lock now belongs to an unrelated process', async () => {
    const stale = { startedBy: { pid: process.ppid, birth: '1' }, server: { pid: process.pid, birth: '1' } };
    writeFileSync(join(dataDir, 'redis.lock'), JSON.stringify(stale));
    expect(await ask(await start(), 'PING')).toBe('+PONG\r\n');
  });

  it('is refused while its socket answers, though the pids mean nothing here (another container)', async () => {
    const redis = await start();
    const foreign = { pid: 2 ** 22 + 1, birth: '1' };
    const lock = { startedBy: foreign, server: foreign, socketPath: redis.socketPath };
    writeFileSync(join(dataDir, 'redis.lock'), JSON.stringify(lock));
    await expect(start({ startDeadlineMs: 100 })).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
    expect(await ask(redis, 'PING')).toBe('+PONG\r\n');
  });
});

describe('a start of the embedded Redis that fails', () => {
  it("carries the server's own words, and frees the data folder", async () => {
    const failing = start({ extraArgs: ['--no-such-option', 'x'] });
    await expect(failing).rejects.toMatchObject({ code: 'REDIS_START_FAILED' });
    await expect(failing).rejects.toThrow(/ended at once \(exit code 1\)[\s\S]*no-such-option/);
    expect(readdirSync(dataDir)).toEqual(['redis']);
    expect(await ask(await start(), 'PING')).toBe('+PONG\r\n');
  });

  it('keeps the deadline and leaves no process', async () => {
    const before = performance.now();
    const failing = start({ startDeadlineMs: 50, extraArgs: ['--port', '0', '--unixsocket', `${dataDir}/other.sock`] });
    await expect(failing).rejects.toThrow('did not answer PING before the deadline');
    expect(performance.now() - before).toBeLessThan(3_000);
    expect(readdirSync(dataDir)).toEqual(['redis']);
  });

  it("does not mistake another program's server on the port for its own", async () => {
    const port = await freePort();
    const other = await start({ dataDir: join(dataDir, 'other'), port });
    await expect(start({ port })).rejects.toThrow(/Address already in use/i);
    expect(await ask(other, 'PING')).toBe('+PONG\r\n');
  });

  it('names a serverPath that is no server', async () => {
    await expect(start({ serverPath: '/bin/ls' })).rejects.toThrow('"/bin/ls" is neither a Redis nor a Valkey server.');
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
