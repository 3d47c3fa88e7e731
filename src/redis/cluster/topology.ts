import { setTimeout as sleep } from 'node:timers/promises';
import { isRefusal } from '../node/connection-failure.ts';
import { oneShotCommand, replyWithin } from '../node/one-shot-command.ts';
import {
  type ConnectionOptions,
  describeConnection,
  describeServer,
  type ServerAddress,
} from '../options/connection-options.ts';
import type { RedisConnection } from '../redis-connection.ts';
import { RedisUnavailableError } from '../redis-unavailable-error.ts';
import { type ClusterSlots, SlotMap } from './slot-map.ts';

/* topology.ts: finds out which master has which slot, from the nodes of a Cluster. A connection and all its duplicates
 * share one topology: when a master is lost, one question serves them all. */

const ASK_DEADLINE_MS = 500;
/** The shortest time between two questions: a failover is noticed soon, and a Cluster that is down is not flooded. */
const MIN_INTERVAL_MS = 100;
/** How often the Cluster is asked without a reason: a frozen master refuses nothing, and a subscriber is never
 *  redirected. */
const POLL_INTERVAL_MS = 2_000;

/** Connections that are open already, by the name of their node. They are used before new ones are opened. */
export type OpenConnections = () => ReadonlyMap<string, RedisConnection>;

/** The current slots of a Cluster, and how they are refreshed. */
export class ClusterTopology {
  readonly options: ConnectionOptions;
  readonly #seeds: readonly Required<ServerAddress>[];
  readonly #openConnections = new Set<OpenConnections>();
  readonly #listeners = new Set<() => void>();
  #map: SlotMap | undefined;
  // The server that the last redirection named: its news is the latest.
  #askFirst: Required<ServerAddress> | undefined;
  #reading: Promise<void> | undefined;
  #lastReadAt = Number.NEGATIVE_INFINITY;
  #poll: NodeJS.Timeout | undefined;

  /** `options` with `cluster`. */
  constructor(options: ConnectionOptions) {
    this.options = options;
    this.#seeds = (options.cluster ?? []).map(({ host, port = 6379 }) => ({ host, port }));
  }

  /** The slots as last read; undefined before the first `refresh`. */
  get map(): SlotMap | undefined {
    return this.#map;
  }

  /** Adds connections that may be used for questions. Returns a function that removes them. */
  addOpenConnections(connections: OpenConnections): () => void {
    this.#openConnections.add(connections);
    return () => this.#openConnections.delete(connections);
  }

  /** Calls `listener` when the slots have changed. Returns a function that ends that. While there are listeners, the slots
   *  are read every two seconds. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#poll ??= setInterval(() => this.refreshSoon(), POLL_INTERVAL_MS).unref();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#poll);
      this.#poll = undefined;
    };
  }

  /** Reads the slots from the nodes, at most every 100 ms. Calls in the meantime share the result.
   *  @throws RedisUnavailableError where no node answered. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Refreshes in the background. */
  refreshSoon(): void {
    this.refresh().catch(() => {
      // A command for a node that is not there refreshes again.
    });
  }

  /** Records a redirection: another master has the slot. */
  moved(slot: number, to: Required<ServerAddress>): void {
    this.#askFirst = to;
    if (this.#map !== undefined && this.#map.masterOf(slot) !== describeServer(to))
      this.#learn(this.#map.with(slot, to));
    this.refreshSoon();
  }

  async #read(): Promise<void> {
    const pause = this.#lastReadAt + MIN_INTERVAL_MS - performance.now();
    if (pause > 0) await sleep(pause);
    this.#lastReadAt = performance.now();
    this.#learn(await this.#ask());
  }

  #learn(map: SlotMap): void {
    if (map.equals(this.#map)) return;
    this.#map = map;
    for (const listener of [...this.#listeners]) listener();
  }

  async #ask(): Promise<SlotMap> {
    const failures: string[] = [];
    for (const server of this.#candidates()) {
      try {
        const reply = await this.#slotsFrom(server);
        // A node that was reset knows no other node.
        if (reply.length === 0) throw new Error(`Redis at ${describeServer(server)} is in no Cluster.`);
        this.#askFirst = undefined;
        return SlotMap.fromReply(reply, server.host);
      } catch (error) {
        failures.push(explain(server, error as Error));
      }
    }
    throw new RedisUnavailableError(
      `No node of the Cluster at ${describeConnection(this.options)} says where the slots are. ${[...new Set(failures)].join(' ')}`,
    );
  }

  // The order of the known masters is another one each time: a master that is cut off from the others has old slots.
  #candidates(): Required<ServerAddress>[] {
    const known = [...(this.#map?.masters.values() ?? [])];
    const start = Math.floor(Math.random() * known.length);
    const ready = this.#readyConnections();
    const rotated = [...known.slice(start), ...known.slice(0, start)];
    const isReady = (server: ServerAddress): boolean => ready.has(describeServer(server));
    const ordered = [
      ...(this.#askFirst === undefined ? [] : [this.#askFirst]),
      ...rotated.filter(isReady),
      ...rotated.filter((server) => !isReady(server)),
      ...this.#seeds,
    ];
    return [...new Map(ordered.map((server) => [describeServer(server), server])).values()];
  }

  #readyConnections(): Map<string, RedisConnection> {
    const all = [...this.#openConnections].flatMap((connections) => [...connections()]);
    return new Map(all.filter(([, connection]) => connection.isReady));
  }

  #slotsFrom(server: Required<ServerAddress>): Promise<ClusterSlots> {
    const name = describeServer(server);
    const open = this.#readyConnections().get(name);
    if (open === undefined) return oneShotCommand(this.options, server, ASK_DEADLINE_MS, 'CLUSTER', 'SLOTS');
    return replyWithin(ASK_DEADLINE_MS, open.command<ClusterSlots>('CLUSTER', 'SLOTS'), name);
  }
}

function explain(server: ServerAddress, error: Error): string {
  const name = describeServer(server);
  if (/cluster support disabled/.test(error.message)) {
    return `Redis at ${name} is no node of a Cluster: write redis://${name} for a single server.`;
  }
  if (isRefusal(error)) {
    return `Redis at ${name} refused CLUSTER SLOTS (${error.message.split(' ', 1)[0]}): the user needs +cluster|slots (before Redis 7 +cluster).`;
  }
  return error instanceof RedisUnavailableError ? error.message : `${name}: ${error.message}`;
}
