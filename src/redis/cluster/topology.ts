import { setTimeout as sleep } from 'node:timers/promises';
import { isRefusal } from '../node/connection-failure.ts';
import { sendInPassing, within } from '../node/one-shot-command.ts';
import {
  type ConnectionOptions,
  describeConnection,
  describeServer,
  type ServerAddress,
} from '../options/connection-options.ts';
import { type RedisConnection, RedisUnavailableError } from '../redis-connection.ts';
import { type ClusterSlots, SlotMap } from './slot-map.ts';

/* topology.ts: which master has which slot, as the nodes of a Cluster tell it. One of it serves a connection
 * and all its duplicates: when a master is lost they all want to know, and it asks once. */

const ASK_DEADLINE_MS = 500;
/** Between two questions: a failover is seen soon, and a Cluster that is down is not stormed. */
const MIN_INTERVAL_MS = 100;
/** A frozen master refuses nothing and a subscriber is not redirected: so we look now and then. */
const POLL_INTERVAL_MS = 2_000;

/** Connections that stand already, by the name of their node: they are asked before new ones are made. */
export type StandingConnections = () => ReadonlyMap<string, RedisConnection>;

/** What is known of a Cluster. */
export class ClusterTopology {
  readonly options: ConnectionOptions;
  readonly #seeds: readonly Required<ServerAddress>[];
  readonly #standing = new Set<StandingConnections>();
  readonly #listeners = new Set<() => void>();
  #map: SlotMap | undefined;
  // Who sent us elsewhere knows more than others.
  #askFirst: Required<ServerAddress> | undefined;
  #reading: Promise<void> | undefined;
  #lastReadAt = Number.NEGATIVE_INFINITY;
  #poll: NodeJS.Timeout | undefined;

  /** `options` with `cluster`. */
  constructor(options: ConnectionOptions) {
    this.options = options;
    this.#seeds = (options.cluster ?? []).map(({ host, port = 6379 }) => ({ host, port }));
  }

  /** What is known; undefined before the first `refresh`. */
  get map(): SlotMap | undefined {
    return this.#map;
  }

  /** Connections that may be asked from now on; returns what ends that. */
  addStanding(connections: StandingConnections): () => void {
    this.#standing.add(connections);
    return () => this.#standing.delete(connections);
  }

  /** Calls `listener` when something has changed; returns what ends that. While anybody watches it looks by itself. */
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

  /** Asks the nodes, at most every 100 ms; whoever asks meanwhile shares the answer.
   *  @throws RedisUnavailableError where no node could say it. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** As `refresh`, and nobody waits for it. */
  refreshSoon(): void {
    this.refresh().catch(() => {
      // Whoever needs a node that is not there asks again.
    });
  }

  /** Notes that a node sent us elsewhere with a slot. */
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
        // A node that was reset knows nobody.
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

  // The known masters in another order each time: one that is cut off from the others goes on telling old news.
  #candidates(): Required<ServerAddress>[] {
    const known = [...(this.#map?.masters.values() ?? [])];
    const start = Math.floor(Math.random() * known.length);
    const standing = this.#readyConnections();
    const rotated = [...known.slice(start), ...known.slice(0, start)];
    const isReady = (server: ServerAddress): boolean => standing.has(describeServer(server));
    const ordered = [
      ...(this.#askFirst === undefined ? [] : [this.#askFirst]),
      ...rotated.filter(isReady),
      ...rotated.filter((server) => !isReady(server)),
      ...this.#seeds,
    ];
    return [...new Map(ordered.map((server) => [describeServer(server), server])).values()];
  }

  #readyConnections(): Map<string, RedisConnection> {
    const all = [...this.#standing].flatMap((connections) => [...connections()]);
    return new Map(all.filter(([, connection]) => connection.isReady));
  }

  #slotsFrom(server: Required<ServerAddress>): Promise<ClusterSlots> {
    const name = describeServer(server);
    const standing = this.#readyConnections().get(name);
    if (standing === undefined) return sendInPassing(this.options, server, ASK_DEADLINE_MS, 'CLUSTER', 'SLOTS');
    return within(ASK_DEADLINE_MS, standing.command<ClusterSlots>('CLUSTER', 'SLOTS'), name);
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
