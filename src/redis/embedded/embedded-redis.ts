/* embedded-redis.ts: a private Redis, a child process on a Unix socket that ends with its parent.
 *
 * How it ends where the parent is SIGKILLed: `sh` starts a watchdog in the background, then becomes the server (exec), so
 * that the child's pid, exit code and signals are the server's own. The watchdog waits in `read` on fd 3, a pipe whose
 * other end only the parent holds. End of file means that the parent is dead: the watchdog sends TERM, the server writes
 * its files and ends. A line means that the server is dead: the watchdog ends. `read` is built into the shell, so that no
 * further process could be left over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { quietly, removeSocket, replaceFile } from './atomic-file.ts';
import { type Lock, lockDataFolder, lockFile, markOf } from './data-folder-lock.ts';
import { type EmbeddedAddress, embeddedAddressFile } from './embedded-address.ts';
import { findRedisServer, inspectRedisServer, type RedisServer } from './find-redis-server.ts';
import { outputTail } from './output-tail.ts';
import { RedisServerMissingError } from './redis-server-missing-error.ts';
import { RedisStartError } from './redis-start-error.ts';

export interface EmbeddedRedisOptions {
  /** Holds `redis/` (the data), `redis.json` (the address), `redis.lock` and the socket. Created where it is absent. */
  readonly dataDir: string;
  /** The server's program. Default: the one that `findRedisServer` finds or installs. */
  readonly serverPath?: string;
  /** Whether data are durable: AOF each second and a snapshot each minute. Default true; false is for tests. */
  readonly persistence?: boolean;
  /** The port of 127.0.0.1 to listen on *instead of* the Unix socket. Then any user of this machine may connect.
   *  Default 0: none. */
  readonly port?: number;
  /** Further arguments of redis-server, as `['--maxmemory', '100mb']`; they override ours. Default: none. */
  readonly extraArgs?: readonly string[];
  /** Receives the lines that an installation reports. Default: stderr. */
  readonly say?: (line: string) => void;
  /** How long loading the data may take, and waiting for a predecessor that is ending, in milliseconds. Default
   *  10,000. */
  readonly startDeadlineMs?: number;
}

export interface EmbeddedRedis {
  /** `unix://<absolute path>` (percent-encoded where it holds ` %?#`) or `redis://127.0.0.1:<port>`. */
  readonly url: string;
  readonly socketPath?: string;
  readonly port?: number;
  readonly pid: number;
  readonly version: string;
  /** Lets the server write its files and end; resolves when all its processes have ended. Idempotent. */
  stop(): Promise<void>;
  /** Sends a signal to the server itself, for fault tests. No effect after its end. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the server's exit code (null: ended by a signal) when all its processes have ended. Does not keep the
   *  process alive. */
  readonly exited: Promise<number | null>;
}

type Address = { readonly socketPath: string } | { readonly port: number };

/** Bytes; the kernel's limit is 108 on Linux, 104 on macOS and the BSDs. */
const SOCKET_PATH_LIMIT = 100;
const POLL_MS = 5;
/** How long a server may take to end; then SIGKILL. That loses no acknowledged write: the AOF is written before each
 *  reply. */
const STOP_DEADLINE_MS = 5_000;
const OUTPUT_TAIL = 2_000;

// A server can refuse to end (its snapshot does not fit on the disk): KILL then, as in stop(). Where the init of a
// container does not reap, the server stays a zombie, for which `kill -0` works: hence the check of /proc.
const WATCHED = `umask 077
( read -r line <&3 && exit 0
  kill -TERM $$; kill -CONT $$
  n=0
  while [ $n -lt ${STOP_DEADLINE_MS / 100} ] && kill -0 $$ && ! grep -q '^State:.*Z' /proc/$$/status; do sleep 0.1; n=$((n + 1)); done
  kill -KILL $$
) </dev/null >/dev/null 2>&1 &
exec "$@" 3<&-`;

/** Starts a private Redis and waits until it answers.
 *  @throws DataFolderInUseError where another process runs one in this folder, RedisStartError where the server ends or
 *  does not answer in time, RedisServerMissingError where there is no server to start. */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const { persistence = true, port = 0, extraArgs = [], startDeadlineMs = 10_000 } = options;
  const server = await chooseServer(options);
  const dataDir = resolve(options.dataDir);
  const dir = join(dataDir, 'redis');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const deadline = performance.now() + startDeadlineMs;
  await lockDataFolder(dataDir, deadline);

  const address: Address = port > 0 ? { port } : { socketPath: chooseSocketPath(dataDir) };
  const command = [server.path, ...serverArgs(dir, address, persistence), ...extraArgs];
  const child = await launch(command).catch((error: Error) => {
    quietly(() => rmSync(lockFile(dataDir)));
    throw new RedisStartError(`Redis did not start: ${error.message}.`, { cause: error });
  });
  const output = outputTail(child, OUTPUT_TAIL);
  const exited = endOf(child).finally(() => removeFiles(dataDir, address));
  const stop = (): Promise<void> => stopServer(child, exited);
  try {
    const url = await announce(child, dataDir, address, deadline);
    for (const handle of [child, ...child.stdio] as { unref?(): void }[]) handle?.unref?.();
    const kill = (signal: NodeJS.Signals): void => void child.kill(signal);
    return { url, ...address, pid: child.pid, version: server.version, stop, kill, exited };
  } catch (error) {
    await stop();
    const what = `Redis did not start in ${dataDir}: ${(error as Error).message}.`;
    throw new RedisStartError(`${what} Its last output:\n${output() || '(none)'}`, { cause: error });
  }
}

async function chooseServer({ serverPath, say }: EmbeddedRedisOptions): Promise<RedisServer> {
  if (!serverPath) return findRedisServer(say ? { say } : {});
  const server = await inspectRedisServer(serverPath);
  if (server) return server;
  const what = `"${serverPath}" is neither a Redis nor a Valkey server.`;
  throw new RedisServerMissingError(what, 'which redis-server valkey-server');
}

/** Names the server in the lock, waits until it answers, and leaves its address. Returns its url. */
async function announce(child: RunningChild, dataDir: string, address: Address, deadline: number): Promise<string> {
  const mark = markOf(child.pid);
  replaceFile(lockFile(dataDir), { startedBy: markOf(process.pid), server: mark, ...address } satisfies Lock);
  await untilReady(child, address, deadline);
  const url =
    'port' in address ? `redis://127.0.0.1:${address.port}` : `unix://${pathToFileURL(address.socketPath).pathname}`;
  replaceFile(embeddedAddressFile(dataDir), { url, ...mark, startedBy: process.pid } satisfies EmbeddedAddress);
  return url;
}

async function stopServer(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM'); // no effect on a server that has ended
  child.kill('SIGCONT'); // a test may have stopped it
  const killing = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await exited;
  clearTimeout(killing);
}

function removeFiles(dataDir: string, address: Address): void {
  if ('socketPath' in address) removeSocket(dataDir, address.socketPath);
  quietly(() => rmSync(embeddedAddressFile(dataDir)));
  quietly(() => rmSync(lockFile(dataDir)));
}

type RunningChild = ChildProcess & { readonly pid: number };

async function launch(command: readonly string[]): Promise<RunningChild> {
  // A process group of its own: Ctrl-C in the terminal must reach this process only, which then stops the server.
  const child = spawn('/bin/sh', ['-c', WATCHED, 'sh', ...command], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  if (child.pid === undefined) throw (await once(child, 'error'))[0];
  return child as RunningChild;
}

function serverArgs(dir: string, address: Address, persistence: boolean): string[] {
  const listen =
    'port' in address
      ? ['--bind', '127.0.0.1', '--port', String(address.port)]
      : ['--port', '0', '--unixsocket', address.socketPath, '--unixsocketperm', '700'];
  const keep = persistence
    ? ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '60', '1']
    : ['--appendonly', 'no', '--save', ''];
  return [...listen, '--dir', dir, ...keep, '--daemonize', 'no'];
}

function chooseSocketPath(dataDir: string): string {
  const path = join(dataDir, 'redis.sock');
  return Buffer.byteLength(path) < SOCKET_PATH_LIMIT
    ? path
    : join(mkdtempSync(join(tmpdir(), 'sessionwise-')), 'redis.sock');
}

/** Resolves with the exit code when the server, its forks and the watchdog have ended: `close` waits for their pipes. */
function endOf(child: ChildProcess): Promise<number | null> {
  const lifeline = child.stdio[3] as Duplex;
  lifeline.on('error', () => {}).resume();
  child.once('exit', () => lifeline.end('\n'));
  return new Promise((resolve) => child.once('close', resolve));
}

async function untilReady(child: ChildProcess, address: Address, deadline: number): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the server ended at once (${child.signalCode ?? `exit code ${child.exitCode}`})`);
    }
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) throw new Error('the server did not answer PING before the deadline');
    const reply = await ask(address, Math.min(leftMs, 1_000));
    // On a port another server may answer while ours fails to bind. With `--requirepass` its pid cannot be read.
    if (reply.startsWith('-NOAUTH')) return;
    if (reply.startsWith('+PONG') && reply.includes(`\nprocess_id:${child.pid}\r\n`)) return;
    await sleep(POLL_MS);
  }
}

/** Sends PING and INFO and returns the answer, or the part that arrived before `silenceMs` without input; '' where no
 *  server listens. */
function ask(address: Address, silenceMs: number): Promise<string> {
  return new Promise((resolve) => {
    let reply = '';
    const socket = 'port' in address ? connect(address.port, '127.0.0.1') : connect(address.socketPath);
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.on('connect', () => socket.write('PING\r\nINFO server\r\n'));
    socket.setEncoding('utf8').on('data', (text: string) => {
      reply += text;
      if (/^-|\nprocess_id:\d+\r\n/.test(reply)) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(reply));
  });
}
