import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { slotOfKey } from '../key-slot.ts';
import { explainFailure, isFinal, isRefusal } from '../node/connection-failure.ts';
import { reconnectDelayMs } from '../node/driver.ts';
import { connectFirst, FIRST_CONNECT_DEADLINE_MS } from '../node/first-connect.ts';
import { NodeConnection } from '../node/node-connection.ts';
import { PinnedNode } from '../node/pinned-node.ts';
import { type ConnectionOptions, describeConnection, type ServerAddress } from '../options/connection-options.ts';
import {
  type CommandArguments,
  type CommandConnection,
  type ConnectionEvents,
  type MessageListener,
  type RedisConnection,
  RedisNotReadyError,
  RedisUnavailableError,
} from '../redis-connection.ts';
import { firstKeyOf } from './first-key.ts';
import { ClusterNodes } from './nodes.ts';
import { readRedirect } from './redirect.ts';
import { AnyNodeResolver, SlotResolver } from './resolvers.ts';
import { ClusterTopology } from './topology.ts';

/* cluster-connection.ts: one connection to each master of a Redis Cluster.
 *
 * A command goes to the master of its first key's slot, in the turn in which it is sent, so that commands for one key
 * keep their order. What a node has not executed is sent again, to where it says (MOVED, ASK) or after a pause
 * (TRYAGAIN: the keys of a slot that moves are at both ends). What it may have executed never is. */

const MAX_REDIRECTIONS = 5;
/** How long a command waits for a master that we hear of by a redirection. */
const ARRIVAL_DEADLINE_MS = 1_000;
/** How long a command for several keys waits while their slot moves. */
const TRY_AGAIN_LIMIT_MS = 2_000;
const MAX_PAUSE_MS = 100;

type Send<Reply> = (node: RedisConnection) => Promise<Reply>;

/** A connection to all masters of a Cluster. */
export class ClusterConnection extends EventEmitter<ConnectionEvents> implements RedisConnection {
  readonly options: ConnectionOptions;
  readonly isCluster: boolean = true;
  readonly #name: string;
  readonly #topology: ClusterTopology;
  readonly #nodes: ClusterNodes;
  #subscriber: NodeConnection | undefined;
  #isOpen = false;
  #closed = false;
  #wasReady = false;
  #endings: (() => void)[] = [];

  /** `topology`: of the connection that this one is a duplicate of. */
  constructor(options: ConnectionOptions, name: string, topology: ClusterTopology = new ClusterTopology(options)) {
    super();
    this.options = options;
    this.#name = name;
    this.#topology = topology;
    this.#nodes = new ClusterNodes(topology, name, {
      onReady: () => this.#tellReady(),
      onLost: (error) => this.#tellLost(error),
    });
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
    return this.#route(args, (node) => node.command<Reply>(...args));
  }

  commandForBuffers<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    return this.#route(args, (node) => node.commandForBuffers<Reply>(...args));
  }

  transaction(commands: readonly CommandArguments[]): Promise<unknown[]> {
    return this.#route(commands[0] ?? ['PING'], (node) => node.transaction(commands));
  }

  async subscribePatterns(patterns: readonly string[], listener: MessageListener): Promise<void> {
    await this.#subscribing().subscribePatterns(patterns, listener);
  }

  async unsubscribePatterns(): Promise<void> {
    await this.#subscriber?.unsubscribePatterns();
  }

  async subscribe(channels: string | readonly string[], listener: MessageListener): Promise<void> {
    await this.#subscribing().subscribe(channels, listener);
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
    this.#tellReady();
  }

  #tellReady(): void {
    const { isReady } = this;
    const isNews = isReady && !this.#wasReady;
    this.#wasReady = isReady;
    if (isNews && !this.#closed) this.emit('ready');
  }

  #tellLost(error: Error): void {
    if (this.#closed) return;
    this.#wasReady = false;
    this.#topology.refreshSoon();
    this.emit('lost', error);
  }

  #isWhole(holds: (connection: NodeConnection) => boolean): boolean {
    return this.#nodes.every(holds) && (this.#subscriber === undefined || holds(this.#subscriber));
  }

  /** Where the Cluster was asked and names servers that cannot be reached, they are told: its nodes may know each other by
   *  addresses that are not ours. */
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

  #subscribing(): NodeConnection {
    if (this.#subscriber === undefined) {
      const subscriber = new NodeConnection(this.options, this.#name, new AnyNodeResolver(this.#topology));
      this.#subscriber = subscriber;
      subscriber.on('ready', () => this.#tellReady());
      subscriber.on('lost', (error) => this.#tellLost(error));
      if (!this.#closed) subscriber.open();
    }
    return this.#subscriber;
  }

  #route<Reply>(args: CommandArguments, send: Send<Reply>): Promise<Reply> {
    let key: string | Buffer | undefined;
    try {
      key = firstKeyOf(args);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    if (key === undefined) return this.#sendTo(this.#nodes.any(), send);
    const slot = slotOfKey(key);
    const node = this.#nodes.ofSlot(slot);
    return this.#sendTo(node, send).catch((error: unknown) => this.#sendElsewhere(error, slot, node, send));
  }

  #sendTo<Reply>(node: NodeConnection | undefined, send: Send<Reply>): Promise<Reply> {
    if (node?.isReady) return send(node);
    this.#topology.refreshSoon();
    const where = node === undefined ? `The Cluster at ${this.address}` : `Redis at ${node.address}`;
    return Promise.reject(new RedisNotReadyError(`${where} does not answer now.`));
  }

  /** Sends what was not executed where the answer says, as often as it says so, or throws the answer. */
  async #sendElsewhere<Reply>(
    refusal: unknown,
    slot: number,
    refusedBy: NodeConnection | undefined,
    send: Send<Reply>,
  ): Promise<Reply> {
    const end = performance.now() + TRY_AGAIN_LIMIT_MS;
    let error = refusal;
    let node = refusedBy;
    for (let redirections = 0, pauses = 0; ; ) {
      const redirect = readRedirect(error, node?.resolvedAddress?.host ?? '');
      if (redirect !== undefined && redirections < MAX_REDIRECTIONS) {
        redirections += 1;
        if (redirect.kind === 'MOVED') this.#topology.moved(slot, redirect.to);
        node = await this.#arrived(redirect.to);
      } else if (isTryAgain(error) && performance.now() < end) {
        await sleep(Math.min(10 * 2 ** pauses, MAX_PAUSE_MS));
        pauses += 1;
        // Whoever waits for a slot to arrive is sent to and fro until it has: the time bounds that, not the count.
        redirections = 0;
        node = this.#nodes.ofSlot(slot);
      } else {
        if (isOldNews(error)) this.#topology.refreshSoon();
        throw error;
      }
      try {
        if (redirect?.kind === 'ASK') node?.command('ASKING').catch(() => undefined);
        return await this.#sendTo(node, send);
      } catch (next) {
        error = next;
      }
    }
  }

  async #arrived(at: Required<ServerAddress>): Promise<NodeConnection> {
    const node = this.#nodes.at(at);
    const end = performance.now() + ARRIVAL_DEADLINE_MS;
    while (!node.isReady && !this.#closed && performance.now() < end) await sleep(5);
    return node;
  }
}

function isTryAgain(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('TRYAGAIN');
}

function isOldNews(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|ASK|CLUSTERDOWN|LOADING|MASTERDOWN)|(^|-)READONLY /.test(error.message);
}
