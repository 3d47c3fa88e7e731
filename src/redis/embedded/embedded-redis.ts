/* A private Redis: a child process of ours on a Unix socket, that ends when we do.
 *
 * How it ends with a parent that is SIGKILLed: `sh` starts a watchdog in the background, then becomes the server
 * (exec), so that the child's pid, exit code and signals are the server's own. The watchdog sleeps in `read` on fd 3,
 * a pipe of which only this process holds the other end. End of file means that we are dead: it sends TERM, upon
 * which the server writes its files and goes. A line means that the server is dead: the watchdog just goes.
 * `read` is built into the shell: no `cat` that could be left over. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type EmbeddedAddress, embeddedAddressFile } from './address.ts';
import { quietly, removeSocket, replaceFile } from './atomic-file.ts';
import { type Lock, lockDataFolder, lockFile, markOf } from './data-folder-lock.ts';
import { findRedisServer, inspectRedisServer } from './find-redis-server.ts';
import { outputTail } from './output-tail.ts';
import { RedisServerMissingError } from './redis-server-missing-error.ts';
import { RedisStartError } from './redis-start-error.ts';

export interface EmbeddedRedisOptions {
  /** Holds `redis/` (the data), `redis.json` (the address), `redis.lock` and the socket. Made where it is absent. */
  readonly dataDir: string;
  /** Default: what `findRedisServer` finds or installs. */
  readonly serverPath?: string;
  /** AOF each second and a snapshot each minute. Default true; false keeps nothing, for tests. */
  readonly persistence?: boolean;
  /** Listen on this port of 127.0.0.1 *instead of* the Unix socket. Any user of this machine may then connect.
   *  Default 0: none. */
  readonly port?: number;
  /** Further arguments of redis-server, as `['--maxmemory', '100mb']`; they win over ours. */
  readonly extraArgs?: readonly string[];
  /** Told what an installation does. Default: stderr. */
  readonly say?: (line: string) => void;
  /** How long loading the data may take, and a dying predecessor. Default 10,000. */
  readonly startDeadlineMs?: number;
}

export interface EmbeddedRedis {
  /** `unix://<absolute path>` (percent-encoded where it holds ` %?#`) or `redis://127.0.0.1:<port>`. */
  readonly url: string;
  readonly socketPath?: string;
  readonly port?: number;
  readonly pid: number;
  readonly version: string;
  /** Lets the server write its files and end; resolves when nothing of it is left. Idempotent. */
  stop(): Promise<void>;
  /** Sends the server itself a signal, for fault tests. A no-op after its end. */
  kill(signal: NodeJS.Signals): void;
  /** The server's exit code (null: ended by a signal), when nothing of it is left. Does not keep our process alive. */
  readonly exited: Promise<number | null>;
}

type Address = { readonly socketPath: string } | { readonly port: number };

/** Bytes; the kernel's limit is 108 on Linux, 104 on macOS and the BSDs. */
const SOCKET_PATH_LIMIT = 100;
const POLL_MS = 5;
/** Then SIGKILL. It loses nothing acknowledged: the AOF was written before each reply (a snapshot alone would). */
const STOP_DEADLINE_MS = 5_000;
const OUTPUT_TAIL = 2_000;

// A server can refuse to end (its snapshot does not fit on the disk): KILL then, as in stop(). Where the init
// of a container reaps nobody, the server stays a zombie, for which `kill -0` works: hence the look at /proc.
const WATCHED = `umask 077
( read -r line <&3 && exit 0
  kill -TERM $$; kill -CONT $$
  n=0
  while [ $n -lt ${STOP_DEADLINE_MS / 100} ] && kill -0 $$ && ! grep -q '^State:.*Z' /proc/$$/status; do sleep 0.1; n=$((n + 1)); done
  kill -KILL $$
) </dev/null >/dev/null 2>&1 &
exec "$@" 3<&-`;

/** Starts a Redis of our own and waits until it answers. Throws `DataFolderInUseError`, `RedisStartError` and, from
 *  the search for a server, `RedisServerMissingError`. */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const { persistence = true, port = 0, extraArgs = [], startDeadlineMs = 10_000, say } = options;
  const server = options.serverPath
    ? await inspectRedisServer(options.serverPath)
    : await findRedisServer(say ? { say } : {});
  if (!server) {
    const what = `"${options.serverPath}" is neither a Redis nor a Valkey server.`;
    throw new RedisServerMissingError(what, 'which redis-server valkey-server');
  }

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
  const exited = endOf(child).finally(() => {
    if ('socketPath' in address) removeSocket(dataDir, address.socketPath);
    quietly(() => rmSync(embeddedAddressFile(dataDir)));
    quietly(() => rmSync(lockFile(dataDir)));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM'); // a no-op after its end
    child.kill('SIGCONT'); // a test may have stopped it
    const killing = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await exited;
    clearTimeout(killing);
  };

  const { pid } = child;
  try {
    const mark = markOf(pid);
    replaceFile(lockFile(dataDir), { startedBy: markOf(process.pid), server: mark, ...address } satisfies Lock);
    await untilReady(child, address, deadline);
    const url =
      'port' in address ? `redis://127.0.0.1:${address.port}` : `unix://${pathToFileURL(address.socketPath).pathname}`;
    replaceFile(embeddedAddressFile(dataDir), { url, ...mark, startedBy: process.pid } satisfies EmbeddedAddress);
    for (const handle of [child, ...child.stdio] as { unref?(): void }[]) handle?.unref?.();
    return { url, ...address, pid, version: server.version, stop, kill: (signal) => void child.kill(signal), exited };
  } catch (error) {
    await stop();
    const what = `Redis did not start in ${dataDir}: ${(error as Error).message}.`;
    throw new RedisStartError(`${what} Its last output:\n${output() || '(none)'}`, { cause: error });
  }
}

type RunningChild = ChildProcess & { readonly pid: number };

async function launch(command: readonly string[]): Promise<RunningChild> {
  // A process group of its own: Ctrl-C in the terminal is for us, who then stop it in good order.
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

/** Resolves with the exit code when the server, its forks and the watchdog are gone: `close` waits for their pipes. */
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
    // On a port somebody else's server may answer while ours fails to bind. With `--requirepass` we cannot look.
    if (reply.startsWith('-NOAUTH')) return;
    if (reply.startsWith('+PONG') && reply.includes(`\nprocess_id:${child.pid}\r\n`)) return;
    await sleep(POLL_MS);
  }
}

/** The server's answer to PING and INFO, or what there was of it after `silenceMs`; '' where nobody listens. */
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
