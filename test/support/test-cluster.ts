import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/redis/embedded/embedded-redis.ts';
import { createConnection, type RedisConnection } from '../../src/redis/index.ts';
import { slotOfKey } from '../../src/redis/key-slot.ts';
import { freePorts } from './free-ports.ts';
import { moveSlot } from './move-slot.ts';
import { serverTlsArgs, type TestTls } from './test-tls.ts';
import { waitUntil } from './wait-until.ts';

/* A Redis Cluster of child processes on this machine, put together by the CLUSTER commands themselves: redis-cli's
 * `--cluster create` sleeps for seconds. Everybody meets everybody, so that nobody waits for gossip. */

const SLOTS = 16_384;
const UP_DEADLINE_MS = 20_000;

/** How a test's Cluster is made. */
export interface TestClusterOptions {
  /** Default 3. */
  readonly masters?: number;
  /** Per master. Default 0. */
  readonly replicas?: 0 | 1;
  /** Another redis-server or valkey-server. */
  readonly serverPath?: string;
  /** Further arguments of each server, as `['--user', 'x on >y ~* &* +@all']`. The default user must stay without a
   *  password: what puts the Cluster together is one. */
  readonly extraArgs?: readonly string[];
  /** AOF with `always`, so that a SIGKILL loses nothing acknowledged. Default false: a node comes back empty. */
  readonly persistence?: boolean;
  /** All of it over TLS: `url` is `rediss+cluster://`. What puts the Cluster together does without. Default: none. */
  readonly tls?: TestTls;
  /** `cluster-node-timeout`: a master that is silent for so long is replaced. Default 1,500. */
  readonly nodeTimeoutMs?: number;
}

/** One server of a Cluster. */
export interface TestClusterNode {
  readonly index: number;
  readonly host: string;
  readonly port: number;
  /** Another one after `restart()`. */
  readonly pid: number;
  /** What the Cluster calls it. */
  readonly id: string;
  /** What it was made as; who is master now `masterOf` tells. */
  readonly role: 'master' | 'replica';
  /** `redis://127.0.0.1:<port>`: this server alone. */
  readonly url: string;
  /** One command to this server, as the default user. */
  command<Reply = unknown>(...args: string[]): Promise<Reply>;
}

/** A Cluster of one test file, in folders of its own that are removed at `stop()`. */
export interface TestCluster {
  /** `redis+cluster://127.0.0.1:<port>,...`, all nodes. */
  readonly url: string;
  /** Masters first, in the order of their slots; then replicas, in the order of their masters. */
  readonly nodes: readonly TestClusterNode[];
  /** A real signal to a server. With SIGKILL wait for what the Cluster makes of it. */
  kill(node: TestClusterNode, signal: NodeJS.Signals): void;
  /** Ends the server, if it has not ended yet, and starts it again on its port and folder; resolves when it and the
   *  others agree that it is there. */
  restart(node: TestClusterNode): Promise<void>;
  /** Makes a replica of the master take its place (CLUSTER FAILOVER, both alive); resolves with the new master when
   *  all live nodes know it. */
  failover(master: TestClusterNode): Promise<TestClusterNode>;
  /** Moves a slot with its keys, as redis-cli does. `halfway` is called when half of the keys (or more) have moved and
   *  the slot has not. */
  moveSlot(slot: number, from: number, to: number, halfway?: () => Promise<unknown>): Promise<void>;
  /** The master of a key's slot now, as a live node sees it. */
  masterOf(key: string): Promise<TestClusterNode>;
  /** Resolves when every live node says that the Cluster is well and knows the same masters. */
  untilWell(deadlineMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a Cluster and waits until it takes commands. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { masters = 3, replicas = 0 } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sw-cluster-'));
  const count = masters * (1 + replicas);
  const ports = await freePorts(count * 2);
  const nodes = ports
    .slice(0, count)
    .map((port, index) => new ClusterNode(index, port, ports[count + index]!, index < masters, folder, options));
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
    await unite(nodes, masters);
  } catch (error) {
    await stop();
    throw error;
  }
  const untilWell = (deadlineMs = UP_DEADLINE_MS): Promise<void> =>
    waitUntil('the Cluster is well', () => isWell(nodes), deadlineMs);
  return {
    url: `${options.tls ? 'rediss' : 'redis'}+cluster://${nodes.map((node) => `${node.host}:${node.clusterPort}`).join(',')}`,
    nodes,
    kill: (node, signal) => nodes[node.index]!.kill(signal),
    async restart(node) {
      await nodes[node.index]!.restart();
      await untilWell();
    },
    async failover(master) {
      const [replica] = await replicasOf(nodes, master);
      if (replica === undefined) throw new Error(`Node ${master.index} has no replica that could take over.`);
      await replica.command('CLUSTER', 'FAILOVER');
      await waitUntil('the replica has taken over', async () => isMaster(replica), UP_DEADLINE_MS);
      await untilWell();
      return replica;
    },
    moveSlot: async (slot, from, to, halfway) => {
      const masters = await Promise.all(alive(nodes).map(async (node) => ((await isMaster(node)) ? [node] : [])));
      await moveSlot(masters.flat(), slot, nodes[from]!, nodes[to]!, halfway);
    },
    async masterOf(key) {
      const slot = slotOfKey(key);
      const ranges = await alive(nodes)[0]!.command<SlotRange[]>('CLUSTER', 'SLOTS');
      const range = ranges.find(([first, last]) => first <= slot && slot <= last);
      const master = nodes.find(({ id }) => id === range?.[2]?.[2]);
      if (master === undefined) throw new Error(`Nobody has the slot ${slot}.`);
      return master;
    },
    untilWell,
    stop,
  };
}

// First slot, last slot, then the master and its replicas: host, port, id.
type SlotRange = [number, number, ...[string, number, string][]];

class ClusterNode implements TestClusterNode {
  readonly index: number;
  readonly host = '127.0.0.1';
  readonly port: number;
  /** Where the Cluster says that it is: with TLS another one. */
  readonly clusterPort: number;
  readonly role: 'master' | 'replica';
  readonly url: string;
  id = '';
  readonly #folder: string;
  readonly #options: TestClusterOptions;
  #server: EmbeddedRedis | undefined;
  #admin: RedisConnection | undefined;
  #isKilled = false;

  constructor(
    index: number,
    port: number,
    tlsPort: number,
    isMaster: boolean,
    folder: string,
    options: TestClusterOptions,
  ) {
    this.index = index;
    this.port = port;
    this.clusterPort = options.tls ? tlsPort : port;
    this.role = isMaster ? 'master' : 'replica';
    this.url = `redis://${this.host}:${port}`;
    this.#folder = join(folder, String(index));
    this.#options = options;
  }

  get pid(): number {
    return this.#server!.pid;
  }

  get isAlive(): boolean {
    return this.#server !== undefined && !this.#isKilled;
  }

  async start(): Promise<void> {
    const { serverPath, extraArgs = [], persistence = false, nodeTimeoutMs = 1_500, tls } = this.#options;
    this.#server = await startEmbeddedRedis({
      dataDir: this.#folder,
      port: this.port,
      persistence,
      ...(serverPath !== undefined && { serverPath }),
      extraArgs: [
        ...['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)],
        ...['--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0'],
        ...(persistence ? ['--appendfsync', 'always'] : []),
        ...(tls ? [...serverTlsArgs(tls, this.clusterPort), '--tls-cluster', 'yes', '--tls-replication', 'yes'] : []),
        ...extraArgs,
      ],
    });
    this.#isKilled = false;
    this.#admin = await createConnection(this.url, 'test-cluster').connect();
    this.id = await this.command('CLUSTER', 'MYID');
  }

  command<Reply = unknown>(...args: string[]): Promise<Reply> {
    return this.#admin!.command<Reply>(...args);
  }

  kill(signal: NodeJS.Signals): void {
    if (signal === 'SIGKILL' || signal === 'SIGTERM' || signal === 'SIGSTOP') this.#isKilled = true;
    if (signal === 'SIGCONT') this.#isKilled = false;
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

function alive(nodes: readonly ClusterNode[]): ClusterNode[] {
  return nodes.filter((node) => node.isAlive);
}

async function unite(nodes: readonly ClusterNode[], masters: number): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      // Epochs that differ from the start: nodes that must agree on them first lose a second or two.
      await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(node.index + 1));
      if (node.role === 'replica') return;
      const first = Math.ceil((SLOTS * node.index) / masters);
      const end = Math.ceil((SLOTS * (node.index + 1)) / masters);
      // ADDSLOTSRANGE came with 7.0.
      const slots = Array.from({ length: end - first }, (_, i) => String(first + i));
      await node.command('CLUSTER', 'ADDSLOTS', ...slots);
    }),
  );
  await Promise.all(
    nodes.flatMap((node) =>
      nodes
        .slice(0, node.index)
        .map(({ host, clusterPort }) => node.command('CLUSTER', 'MEET', host, String(clusterPort))),
    ),
  );
  await waitUntil('everybody knows everybody', () => everybodyIsKnown(nodes), UP_DEADLINE_MS);
  await Promise.all(
    nodes
      .filter(({ role }) => role === 'replica')
      .map((replica) => replica.command('CLUSTER', 'REPLICATE', nodes[replica.index - masters]!.id)),
  );
  await waitUntil('the Cluster is well', () => isWell(nodes), UP_DEADLINE_MS);
}

async function everybodyIsKnown(nodes: readonly ClusterNode[]): Promise<boolean> {
  const views = await Promise.all(nodes.map((node) => node.command<string>('CLUSTER', 'NODES')));
  return views.every((view) => nodes.every(({ id }) => view.includes(`${id} `)) && !/handshake|noaddr/.test(view));
}

/** Whether the live nodes agree: no slot is uncovered, the masters are alive, and live replicas have their data. */
async function isWell(nodes: readonly ClusterNode[]): Promise<boolean> {
  const living = alive(nodes);
  try {
    const views = await Promise.all(
      living.map(async (node) => {
        const [info, slots, replication] = await Promise.all([
          node.command<string>('CLUSTER', 'INFO'),
          node.command<SlotRange[]>('CLUSTER', 'SLOTS'),
          node.command<string>('INFO', 'replication'),
        ]);
        const isLinked = /^role:master/m.test(replication) || /^master_link_status:up/m.test(replication);
        return { isOk: info.includes('cluster_state:ok') && isLinked, slots };
      }),
    );
    const masters = views.map(({ slots }) =>
      JSON.stringify(slots.map(([first, last, master]) => [first, last, master?.[2]]).sort()),
    );
    const ids = new Set(living.map(({ id }) => id));
    return (
      views.every(({ isOk, slots }) => isOk && slots.every((range) => ids.has(range[2]?.[2] ?? ''))) &&
      new Set(masters).size === 1 &&
      new Set(views.map(({ slots }) => slots.reduce((sum, range) => sum + range.length, 0))).size === 1
    );
  } catch {
    return false;
  }
}

async function isMaster(node: ClusterNode): Promise<boolean> {
  return /^role:master/m.test(await node.command<string>('INFO', 'replication'));
}

async function replicasOf(nodes: readonly ClusterNode[], master: TestClusterNode): Promise<ClusterNode[]> {
  const lines = await alive(nodes)[0]!.command<string>('CLUSTER', 'NODES');
  const ids = lines
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , , of]) => of === master.id)
    .map(([id]) => id);
  return alive(nodes).filter(({ id }) => ids.includes(id));
}
