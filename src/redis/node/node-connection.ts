import { EventEmitter } from 'node:events';
import { withDeadline } from '../../async/index.ts';
import { addressOfClient, isClient, type RedisClient } from '../options/borrowed-client.ts';
import {
  type ConnectionOptions,
  describeConnection,
  describeServer,
  parseConnection,
} from '../options/connection-options.ts';
import type { CommandArguments, ConnectionEvents, MessageListener, RedisConnection } from '../redis-connection.ts';
import { RedisNotReadyError } from '../redis-not-ready-error.ts';
import type { AddressResolver, ResolvedAddress } from './address-resolver.ts';
import { explainClusterNode, explainFailure, isFinal } from './connection-failure.ts';
import { AS_BUFFERS, createDriver, createDriverLike, type Driver } from './driver.ts';
import { connectFirst, FIRST_CONNECT_DEADLINE_MS } from './first-connect.ts';
import { FollowingLink } from './following-link.ts';
import type { ServerLink } from './server-link.ts';
import { StaticLink } from './static-link.ts';

/* node-connection.ts: a connection to one server, whose address is fixed or given by an address resolver.
 *
 * The driver measures a server's silence from the last write. So a connection whose commands have had no reply for two
 * seconds takes no more commands: then the driver notices the silence and ends the connection. */

const STALL_LIMIT_MS = 2_000;
const CLOSE_DEADLINE_MS = 1_000;

/** A connection to one server. */
export class NodeConnection extends EventEmitter<ConnectionEvents> implements RedisConnection {
  readonly options: ConnectionOptions;
  readonly isCluster: boolean = false;
  readonly countsAllSubscribers: boolean = true;
  readonly oneSlotPerRead: boolean = false;
  readonly spreadsPublished: boolean = false;
  readonly failsInParts: boolean = false;
  readonly movesSlots: boolean = false;
  readonly #source: string | ConnectionOptions | RedisClient;
  readonly #destination: ResolvedAddress | AddressResolver | undefined;
  readonly #link: ServerLink;
  readonly #knownScripts = new Set<string>();
  #wasReady = false;
  #closed = false;
  #unanswered = 0;
  #heardAt = 0;

  /** `destination`: the server to connect to. Default: the server that the options name.
   *  @throws ConnectionOptionsError for options that cannot be right. */
  constructor(
    source: string | ConnectionOptions | RedisClient,
    name = 'sessionwise',
    destination: ResolvedAddress | AddressResolver | undefined = undefined,
  ) {
    super();
    this.#source = source;
    this.#destination = destination;
    const isBorrowed = isClient(source);
    this.options = isBorrowed ? addressOfClient(source) : parseConnection(source);
    const events = {
      onReady: () => {
        this.#wasReady = true;
        // It may be another server, or the same server with an empty script cache.
        this.#knownScripts.clear();
        this.emit('ready');
        this.emit('reachable');
      },
      onLost: (error: Error) => {
        this.emit('lost', error);
      },
    };
    if (destination !== undefined && 'resolve' in destination) {
      this.#link = new FollowingLink(this.options, name, destination, events);
    } else {
      const driver = isBorrowed ? createDriverLike(source, name) : createDriver(this.options, name, destination);
      this.#link = new StaticLink(driver, destination, events);
    }
  }

  get isConnected(): boolean {
    return this.#link.isReady;
  }

  get isReady(): boolean {
    return this.#link.isReady && !this.#stalled();
  }

  get address(): string {
    const { address } = this.#link;
    return address === undefined ? describeConnection(this.options) : describeServer(address);
  }

  /** The server that it goes to now; undefined where only the options name it. */
  get resolvedAddress(): ResolvedAddress | undefined {
    return this.#link.address;
  }

  open(): void {
    if (!this.#closed) this.#link.open();
  }

  async connect(deadlineMs: number = FIRST_CONNECT_DEADLINE_MS): Promise<this> {
    // Where Sentinel names the master, it will name another one when this one is gone.
    const mayMove = this.#destination !== undefined && 'resolve' in this.#destination;
    await connectFirst(
      this,
      deadlineMs,
      (error) => isFinal(error, mayMove),
      (error) => explainFailure(this.address, Boolean(this.options.tls), error),
    );
    return this;
  }

  duplicate(name?: string): RedisConnection {
    return new NodeConnection(this.#source, name, this.#destination);
  }

  duplicateFor(_key: string, name?: string): RedisConnection {
    return this.duplicate(name);
  }

  isReadyFor(_key: string): boolean {
    return this.isReady;
  }

  masterFor(_key: string): RedisConnection {
    return this;
  }

  pinnedFor(_key: string): this {
    return this;
  }

  masters(): RedisConnection[] {
    return [this];
  }

  knownScripts(_key: string | undefined): Set<string> {
    return this.#knownScripts;
  }

  command<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    return this.#send((driver) => driver.sendCommand(args));
  }

  commandForBuffers<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    return this.#send((driver) => driver.sendCommand(args, AS_BUFFERS));
  }

  transaction(commands: readonly CommandArguments[]): Promise<unknown[]> {
    return this.#send((driver) => {
      const multi = driver.multi();
      for (const args of commands) multi.addCommand(args);
      return multi.exec();
    });
  }

  async subscribePatterns(patterns: readonly string[], listener: MessageListener): Promise<void> {
    await this.#link.subscribe('PATTERNS', patterns, listener);
  }

  async unsubscribePatterns(): Promise<void> {
    await this.#link.unsubscribePatterns();
  }

  async subscribe(channels: string | readonly string[], listener: MessageListener): Promise<void> {
    await this.#link.subscribe('CHANNELS', typeof channels === 'string' ? [channels] : channels, listener);
  }

  async subscribeSharded(channel: string, listener: MessageListener): Promise<void> {
    await this.#link.subscribe('SHARDED', [channel], listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    if (!this.#wasReady || !this.isReady) {
      this.destroy();
      return;
    }
    this.#closed = true;
    await withDeadline(this.#link.drain(), CLOSE_DEADLINE_MS, () => undefined).catch(() => undefined);
    this.#link.destroy();
  }

  // While it is not connected, the driver would queue a MULTI until it is; so nothing is sent then.
  #send<Reply>(by: (driver: Driver) => Promise<Reply>): Promise<Reply> {
    if (!this.isReady) return Promise.reject(new RedisNotReadyError(`Redis at ${this.address} does not answer now.`));
    if (this.#unanswered === 0) this.#heardAt = performance.now();
    this.#unanswered += 1;
    const reply = this.#link.send(by);
    reply.then(this.#onAnswer, this.#onRefusal);
    return reply;
  }

  readonly #onAnswer = (): void => {
    const wasStalled = this.#stalled();
    this.#unanswered -= 1;
    this.#heardAt = performance.now();
    if (wasStalled && this.isReady) this.emit('reachable');
  };

  // Explains MOVED where the options name a single server: it is a node of a Cluster.
  readonly #onRefusal = (error: unknown): void => {
    this.#onAnswer();
    if (this.#destination !== undefined || !(error instanceof Error) || !error.message.startsWith('MOVED ')) return;
    error.message = `MOVED: ${explainClusterNode(this.address, this.options)}`;
  };

  #stalled(): boolean {
    return this.#unanswered > 0 && performance.now() - this.#heardAt > STALL_LIMIT_MS;
  }

  destroy(): void {
    this.#closed = true;
    this.#link.destroy();
  }
}
