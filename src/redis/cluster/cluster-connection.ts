import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { slotOfKey } from '../key-slot.ts';
import { explainFailure, isFinal, isRefusal } from '../node/connection-failure.ts';
import { reconnectDelayMs } from '../node/driver.ts';
import { connectFirst, FIRST_CONNECT_DEADLINE_MS } from '../node/first-connect.ts';
import { NodeConnection } from '../node/node-connection.ts';
import { PinnedNode } from '../node/pinned-node.ts';
import { type ConnectionOptions, describeConnection } from '../options/connection-options.ts';
import type {
  CommandArguments,
  CommandConnection,
  ConnectionEvents,
  MessageListener,
  RedisConnection,
} from '../redis-connection.ts';
import { RedisUnavailableError } from '../redis-unavailable-error.ts';
import { CommandRouter } from './command-router.ts';
import { ClusterNodes } from './nodes.ts';
import { AnyNodeResolver, SlotResolver } from './resolvers.ts';
import { ClusterTopology } from './topology.ts';

/* cluster-connection.ts: one connection to each master of a Redis Cluster, and one more for subscriptions where there are
 * any. It is ready when all of them are; commands go through the router, each to the master of its key. */

/** A connection to all masters of a Cluster. */
export class ClusterConnection extends EventEmitter<ConnectionEvents> implements RedisConnection {
  readonly options: ConnectionOptions;
  readonly isCluster: boolean = true;
  readonly countsAllSubscribers: boolean = false;
  readonly oneSlotPerRead: boolean = true;
  readonly spreadsPublished: boolean = true;
  readonly failsInParts: boolean = true;
  readonly movesSlots: boolean = true;
  readonly #name: string;
  readonly #topology: ClusterTopology;
  readonly #nodes: ClusterNodes;
  readonly #router: CommandRouter;
  #subscriber: NodeConnection | undefined;
  #isOpen = false;
  #closed = false;
  #wasReady = false;
  #endings: (() => void)[] = [];

  /** `topology`: that of the connection which this one duplicates. Default: a new one. */
  constructor(options: ConnectionOptions, name: string, topology: ClusterTopology = new ClusterTopology(options)) {
    super();
    this.options = options;
    this.#name = name;
    this.#topology = topology;
    this.#nodes = new ClusterNodes(topology, name, {
      onReady: () => this.#onReady(),
      onLost: (error) => this.#onLost(error),
      onReachable: () => this.#onReachable(),
    });
    this.#router = new CommandRouter(topology, this.#nodes);
  }

  get isConnected(): boolean {
    return this.#isWhole((node) => node.isConnected);
  }

  get isReady(): boolean {
    return this.#isWhole((node) => node.isReady);
  }

  get address(): string {
    return describeConnection(this.options);
  }

  open(): void {
    if (this.#isOpen || this.#closed) return;
    this.#isOpen = true;
    this.#endings = [
      this.#topology.watch(() => this.#follow()),
      this.#topology.addOpenConnections(() => this.#nodes.all),
    ];
    void this.#begin();
  }

  async connect(deadlineMs: number = FIRST_CONNECT_DEADLINE_MS): Promise<this> {
    await connectFirst(
      this,
      deadlineMs,
      (error) => isFinal(error, true),
      (error) => this.#explain(error),
    );
    return this;
  }

  duplicate(name?: string): RedisConnection {
    return new ClusterConnection(this.options, name ?? this.#name, this.#topology);
  }

  duplicateFor(key: string, name?: string): RedisConnection {
    return new NodeConnection(this.options, name ?? this.#name, new SlotResolver(this.#topology, slotOfKey(key)));
  }

  isReadyFor(key: string): boolean {
    return this.#nodes.ofSlot(slotOfKey(key))?.isReady ?? false;
  }

  masterFor(key: string): RedisConnection | undefined {
    return this.#nodes.ofSlot(slotOfKey(key));
  }

  pinnedFor(key: string): CommandConnection | undefined {
    const node = this.#nodes.ofSlot(slotOfKey(key));
    return node && new PinnedNode(node, this);
  }

  masters(): RedisConnection[] {
    return this.#nodes.masters();
  }

  knownScripts(key: string | undefined): Set<string> {
    const node = key === undefined ? this.#nodes.any() : this.#nodes.ofSlot(slotOfKey(key));
    return node?.knownScripts(key) ?? new Set();
  }

  command<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    return this.#router.route(args, (node) => node.command<Reply>(...args));
  }

  commandForBuffers<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    return this.#router.route(args, (node) => node.commandForBuffers<Reply>(...args));
  }

  transaction(commands: readonly CommandArguments[]): Promise<unknown[]> {
    return this.#router.route(commands[0] ?? ['PING'], (node) => node.transaction(commands));
  }

  async subscribePatterns(patterns: readonly string[], listener: MessageListener): Promise<void> {
    await this.#openSubscriber().subscribePatterns(patterns, listener);
  }

  async unsubscribePatterns(): Promise<void> {
    await this.#subscriber?.unsubscribePatterns();
  }

  async subscribe(channels: string | readonly string[], listener: MessageListener): Promise<void> {
    await this.#openSubscriber().subscribe(channels, listener);
  }

  subscribeSharded(channel: string, _listener: MessageListener): Promise<void> {
    return Promise.reject(
      new RangeError(`"${channel}" is a channel of one shard: subscribe on duplicateFor(channel), not on all.`),
    );
  }

  async close(): Promise<void> {
    this.#end();
    await Promise.all([this.#nodes.close(), this.#subscriber?.close()]);
  }

  destroy(): void {
    this.#end();
    this.#nodes.destroy();
    this.#subscriber?.destroy();
  }

  #end(): void {
    this.#closed = true;
    for (const end of this.#endings.splice(0)) end();
    this.#router.close();
  }

  async #begin(): Promise<void> {
    for (let tries = 0; !this.#closed; tries += 1) {
      try {
        await this.#topology.refresh();
        if (!this.#closed) this.#follow();
        return;
      } catch (error) {
        if (!this.#closed) this.emit('lost', error as Error);
        await sleep(reconnectDelayMs(tries));
      }
    }
  }

  #follow(): void {
    this.#nodes.follow();
    this.#onReady();
    this.#onReachable();
  }

  #onReady(): void {
    const { isReady } = this;
    const isNews = isReady && !this.#wasReady;
    this.#wasReady = isReady;
    if (isNews && !this.#closed) this.emit('ready');
  }

  #onReachable(): void {
    this.#router.onReachable();
    if (!this.#closed) this.emit('reachable');
  }

  #onLost(error: Error): void {
    if (this.#closed) return;
    this.#wasReady = false;
    this.#topology.refreshSoon();
    this.emit('lost', error);
  }

  #isWhole(holds: (connection: NodeConnection) => boolean): boolean {
    return this.#nodes.every(holds) && (this.#subscriber === undefined || holds(this.#subscriber));
  }

  /** Explains a failed first connection. Where the Cluster answered and named servers that cannot be reached, the error
   *  names them: its nodes may know each other by addresses that do not lead there from here. */
  #explain(error: Error | undefined): Error {
    const missing = this.#nodes.masters().filter((node) => !node.isReady);
    if (missing.length === 0 || (error !== undefined && isRefusal(error))) {
      return explainFailure(this.address, Boolean(this.options.tls), error);
    }
    const names = missing.map(({ address }) => address).join(', ');
    const why = (error as NodeJS.ErrnoException | undefined)?.code ?? error?.message ?? 'no answer in time';
    return new RedisUnavailableError(
      `The Cluster at ${this.address} has masters that cannot be reached from here: ${names} (${why}). Are they up, and are these addresses right (cluster-announce-ip, cluster-announce-hostname)?`,
    );
  }

  #openSubscriber(): NodeConnection {
    if (this.#subscriber === undefined) {
      const subscriber = new NodeConnection(this.options, this.#name, new AnyNodeResolver(this.#topology));
      this.#subscriber = subscriber;
      subscriber.on('ready', () => this.#onReady());
      subscriber.on('lost', (error) => this.#onLost(error));
      subscriber.on('reachable', () => this.#onReachable());
      if (!this.#closed) subscriber.open();
    }
    return this.#subscriber;
  }
}
