import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/redis/embedded/embedded-redis.ts';
import { findRedisServer } from '../../src/redis/embedded/find-redis-server.ts';
import { createConnection, type RedisConnection } from '../../src/redis/index.ts';
import { freePorts } from './free-ports.ts';
import { waitUntil } from './wait-until.ts';

/* A master, its replicas and the Sentinels that watch them, all child processes on this machine. */

const MASTER = 'main';
const UP_DEADLINE_MS = 25_000;
// Of util-linux: what it starts ends with this process.
const TIED = 'setpriv';

/** How a test's Sentinels and servers are made. */
export interface TestSentinelOptions {
  /** Default 1. */
  readonly replicas?: 1 | 2;
  /** Default 3. */
  readonly sentinels?: number;
  /** Another redis-server or valkey-server, for the servers and the Sentinels. Default: what `findRedisServer` finds. */
  readonly serverPath?: string;
  /** Further arguments of each server that holds data. The default user must stay without a password. */
  readonly extraArgs?: readonly string[];
  /** AOF with `always`. Default false: a server comes back empty. */
  readonly persistence?: boolean;
  /** What clients of the Sentinels must give, as `requirepass` of each. Default: nothing. */
  readonly sentinelPassword?: string;
}

/** One server that holds data. */
export interface TestSentinelNode {
  readonly index: number;
  readonly port: number;
  /** `redis://127.0.0.1:<port>`: this server alone. */
  readonly url: string;
  /** One command to this server. */
  command<Reply = unknown>(...args: string[]): Promise<Reply>;
}

/** A replicated Redis under Sentinels, in folders of its own that are removed at `stop()`. */
export interface TestSentinel {
  /** `redis+sentinel://127.0.0.1:<port>,.../main`. */
  readonly url: string;
  /** What the Sentinels call the master. */
  readonly masterName: string;
  readonly sentinelPorts: readonly number[];
  /** The first was the first master. */
  readonly nodes: readonly TestSentinelNode[];
  /** Who is master now, by the majority's first Sentinel. */
  master(): Promise<TestSentinelNode>;
  /** Kills the master (default SIGKILL) and resolves, with who it was, at once: what the Sentinels do takes seconds. */
  killMaster(signal?: NodeJS.Signals): Promise<TestSentinelNode>;
  /** A real signal to a server. */
  kill(node: TestSentinelNode, signal: NodeJS.Signals): void;
  /** A real signal to a Sentinel. */
  killSentinel(index: number, signal: NodeJS.Signals): void;
  /** Ends a server, if it has not ended yet, and starts it again on its port and folder. */
  restart(node: TestSentinelNode): Promise<void>;
  /** Asks for a failover without a fault; resolves when there is another master. */
  failover(): Promise<TestSentinelNode>;
  stop(): Promise<void>;
}

/** Starts all of it and waits until the Sentinels know the replicas and each other. */
export async function startTestSentinel(options: TestSentinelOptions = {}): Promise<TestSentinel> {
  const { replicas = 1, sentinels = 3, sentinelPassword } = options;
  const serverPath = options.serverPath ?? (await findRedisServer()).path;
  const folder = await mkdtemp(join(tmpdir(), 'sw-sentinel-'));
  const ports = await freePorts(1 + replicas + sentinels);
  const nodes = ports.slice(0, 1 + replicas).map((port, index) => new DataNode(index, port, folder, options));
  const sentinelPorts = ports.slice(1 + replicas);
  const processes: ChildProcess[] = [];
  const watchers: RedisConnection[] = [];
  const stop = async (): Promise<void> => {
    for (const watcher of watchers) watcher.destroy();
    await Promise.all(processes.map(end));
    await Promise.all(nodes.map((node) => node.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
    await Promise.all(nodes.slice(1).map((node) => node.command('REPLICAOF', '127.0.0.1', String(nodes[0]!.port))));
    await waitUntil('the replicas have the data', () => areLinked(nodes.slice(1)), UP_DEADLINE_MS);
    for (const [i, port] of sentinelPorts.entries()) {
      const dir = join(folder, `sentinel-${i}`);
      processes.push(startSentinel(serverPath, dir, port, nodes[0]!.port, sentinelPassword));
      watchers.push(
        createConnection({
          host: '127.0.0.1',
          port,
          ...(sentinelPassword !== undefined && { password: sentinelPassword }),
        }),
      );
      watchers[i]!.open();
    }
    await waitUntil('the Sentinels know everybody', () => everybodyIsKnown(watchers, replicas), UP_DEADLINE_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  const master = async (): Promise<TestSentinelNode> => {
    const watcher = watchers.find(({ isReady }) => isReady);
    const [, port] = await watcher!.command<[string, string]>('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER);
    return nodes.find((node) => node.port === Number(port))!;
  };
  return {
    url: `redis+sentinel://${sentinelPorts.map((port) => `127.0.0.1:${port}`).join(',')}/${MASTER}`,
    masterName: MASTER,
    sentinelPorts,
    nodes,
    master,
    async killMaster(signal = 'SIGKILL') {
      const node = await master();
      nodes[node.index]!.kill(signal);
      return node;
    },
    kill: (node, signal) => nodes[node.index]!.kill(signal),
    killSentinel: (index, signal) => void processes[index]!.kill(signal),
    restart: (node) => nodes[node.index]!.restart(),
    async failover() {
      const before = await master();
      const watcher = watchers.find(({ isReady }) => isReady);
      await watcher!.command('SENTINEL', 'FAILOVER', MASTER);
      await waitUntil('there is another master', async () => (await master()) !== before, UP_DEADLINE_MS);
      return master();
    },
    stop,
  };
}

class DataNode implements TestSentinelNode {
  readonly index: number;
  readonly port: number;
  readonly url: string;
  readonly #folder: string;
  readonly #options: TestSentinelOptions;
  #server: EmbeddedRedis | undefined;
  #admin: RedisConnection | undefined;

  constructor(index: number, port: number, folder: string, options: TestSentinelOptions) {
    this.index = index;
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#folder = join(folder, String(index));
    this.#options = options;
  }

  async start(): Promise<void> {
    const { serverPath, extraArgs = [], persistence = false } = this.#options;
    this.#server = await startEmbeddedRedis({
      dataDir: this.#folder,
      port: this.port,
      persistence,
      ...(serverPath !== undefined && { serverPath }),
      extraArgs: [
        ...['--repl-diskless-sync-delay', '0'],
        ...(persistence ? ['--appendfsync', 'always'] : []),
        ...extraArgs,
      ],
    });
    this.#admin = await createConnection(this.url, 'test-sentinel').connect();
  }

  command<Reply = unknown>(...args: string[]): Promise<Reply> {
    return this.#admin!.command<Reply>(...args);
  }

  kill(signal: NodeJS.Signals): void {
    this.#server?.kill(signal);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    this.#admin?.destroy();
    await this.#server?.stop();
    this.#server = undefined;
  }
}

function startSentinel(
  serverPath: string,
  dir: string,
  port: number,
  masterPort: number,
  password: string | undefined,
): ChildProcess {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'sentinel.conf');
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${dir}`,
    ...(password === undefined ? [] : [`requirepass ${password}`]),
    `sentinel monitor ${MASTER} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${MASTER} 1000`,
    `sentinel failover-timeout ${MASTER} 4000`,
  ];
  // It writes what it learns into the same file.
  writeFileSync(file, `${lines.join('\n')}\n`);
  return spawn(TIED, ['--pdeathsig', 'KILL', serverPath, file, '--sentinel'], { stdio: 'ignore' });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function areLinked(replicas: readonly DataNode[]): Promise<boolean> {
  const infos = await Promise.all(replicas.map((replica) => replica.command<string>('INFO', 'replication')));
  return infos.every((info) => /^master_link_status:up/m.test(info));
}

async function everybodyIsKnown(watchers: readonly RedisConnection[], replicas: number): Promise<boolean> {
  if (!watchers.every(({ isReady }) => isReady)) return false;
  const views = await Promise.all(
    watchers.map((watcher) => watcher.command<Record<string, string>>('SENTINEL', 'MASTER', MASTER)),
  );
  return views.every(
    (view) =>
      Number(view['num-slaves']) === replicas &&
      Number(view['num-other-sentinels']) === watchers.length - 1 &&
      view.flags === 'master',
  );
}
