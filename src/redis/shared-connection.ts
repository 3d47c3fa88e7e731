import { EventEmitter } from 'node:events';
import { withDeadline } from '../async/index.ts';
import { createConnection } from './create-connection.ts';
import { explainFailure } from './node/connection-failure.ts';
import { connectFirst, FIRST_CONNECT_DEADLINE_MS } from './node/first-connect.ts';
import { isClient, type RedisClient } from './options/borrowed-client.ts';
import { type ConnectionOptions, parseConnection } from './options/connection-options.ts';
import type {
  CommandArguments,
  CommandConnection,
  ConnectionEvents,
  MessageListener,
  RedisConnection,
} from './redis-connection.ts';
import { RedisNotReadyError } from './redis-not-ready-error.ts';

/* shared-connection.ts: one connection for all parts of a process that are made with equal options.
 *
 * Each part gets a share: a connection of its own as far as it can tell, which it opens and closes without the others, and
 * which has only its own listeners. Commands of all shares go over the one connection, which is closed with the last of
 * them. What does not mix with commands of others is not done here: subscriptions and commands that block need a
 * `duplicate`. */

const CLOSE_DEADLINE_MS = 1_000;

const sharedByKey = new Map<string, SharedConnection>();

/** Creates a connection like `createConnection`, which is not open yet. Where this process has one with equal options (the
 *  same server, user, database, TLS), the new one shares it, under the name that it has. That of an application's own
 *  client is never shared: its options cannot be compared.
 *  @throws ConnectionOptionsError for options that cannot be right. */
export function shareConnection(
  source: string | ConnectionOptions | RedisClient,
  name = 'sessionwise',
): RedisConnection {
  if (isClient(source)) return createConnection(source, name);
  const key = keyOf(parseConnection(source));
  let shared = sharedByKey.get(key);
  if (!shared) {
    shared = new SharedConnection(createConnection(source, name), () => sharedByKey.delete(key));
    sharedByKey.set(key, shared);
  }
  return new ConnectionShare(shared);
}

/** Writes options so that those which lead to the same place are the same text. */
function keyOf({ url: _, ...options }: ConnectionOptions): string {
  const isOneServer = options.cluster === undefined && options.sentinels === undefined && options.path === undefined;
  const whole = { db: 0, tls: false, ...(isOneServer && { host: '127.0.0.1', port: 6379 }), ...options };
  return JSON.stringify(sorted(whole));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries.map(([name, part]) => [name, sorted(part)] as const).sort(byName));
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

/** A connection and those who share it. */
class SharedConnection {
  readonly connection: RedisConnection;
  readonly #shares = new Set<ConnectionShare>();
  readonly #onUnused: () => void;

  constructor(connection: RedisConnection, onUnused: () => void) {
    this.connection = connection;
    this.#onUnused = onUnused;
    connection.on('ready', () => this.#tell((share) => share.onReady()));
    connection.on('lost', (error) => this.#tell((share) => share.emit('lost', error)));
    connection.on('reachable', () => this.#tell((share) => share.emit('reachable')));
  }

  add(share: ConnectionShare): void {
    this.#shares.add(share);
  }

  /** Takes a share out. Returns whether it was the last one. */
  remove(share: ConnectionShare): boolean {
    const isLast = this.#shares.delete(share) && this.#shares.size === 0;
    if (isLast) this.#onUnused();
    return isLast;
  }

  #tell(event: (share: ConnectionShare) => void): void {
    for (const share of [...this.#shares]) if (!share.isClosed) event(share);
  }
}

/** A share of a connection. */
class ConnectionShare extends EventEmitter<ConnectionEvents> implements RedisConnection {
  readonly isCluster: boolean;
  readonly #shared: SharedConnection;
  readonly #connection: RedisConnection;
  #isOpen = false;
  #wasReady = false;
  #isClosed = false;

  constructor(shared: SharedConnection) {
    super();
    this.#shared = shared;
    this.#connection = shared.connection;
    this.isCluster = this.#connection.isCluster;
    shared.add(this);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get options(): ConnectionOptions {
    return this.#connection.options;
  }

  get countsAllSubscribers(): boolean {
    return this.#connection.countsAllSubscribers;
  }

  get oneSlotPerRead(): boolean {
    return this.#connection.oneSlotPerRead;
  }

  get spreadsPublished(): boolean {
    return this.#connection.spreadsPublished;
  }

  get movesSlots(): boolean {
    return this.#connection.movesSlots;
  }

  get failsInParts(): boolean {
    return this.#connection.failsInParts;
  }

  get isConnected(): boolean {
    return !this.#isClosed && this.#connection.isConnected;
  }

  get isReady(): boolean {
    return !this.#isClosed && this.#connection.isReady;
  }

  get address(): string {
    return this.#connection.address;
  }

  /** Tells that the connection is ready. */
  onReady(): void {
    this.#wasReady = true;
    if (this.#isOpen) this.emit('ready');
  }

  open(): void {
    if (this.#isOpen || this.#isClosed) return;
    this.#isOpen = true;
    this.#wasReady = false;
    this.#connection.open();
    // Where another share has opened it, no `ready` would follow.
    setImmediate(() => {
      if (this.#wasReady || !this.isReady) return;
      this.onReady();
      this.emit('reachable');
    });
  }

  async connect(deadlineMs: number = FIRST_CONNECT_DEADLINE_MS): Promise<this> {
    const explain = (error: Error | undefined): Error => explainFailure(this.address, Boolean(this.options.tls), error);
    await connectFirst(this, deadlineMs, () => false, explain);
    return this;
  }

  duplicate(name?: string): RedisConnection {
    return this.#connection.duplicate(name);
  }

  duplicateFor(key: string, name?: string): RedisConnection {
    return this.#connection.duplicateFor(key, name);
  }

  isReadyFor(key: string): boolean {
    return !this.#isClosed && this.#connection.isReadyFor(key);
  }

  masterFor(key: string): RedisConnection | undefined {
    return this.#connection.masterFor(key);
  }

  pinnedFor(key: string): CommandConnection | undefined {
    return this.#connection.pinnedFor(key);
  }

  masters(): RedisConnection[] {
    return this.#connection.masters();
  }

  knownScripts(key: string | undefined): Set<string> {
    return this.#connection.knownScripts(key);
  }

  command<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    return this.#isClosed ? refuse() : this.#connection.command<Reply>(...args);
  }

  commandForBuffers<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    return this.#isClosed ? refuse() : this.#connection.commandForBuffers<Reply>(...args);
  }

  transaction(commands: readonly CommandArguments[]): Promise<unknown[]> {
    return this.#isClosed ? refuse() : this.#connection.transaction(commands);
  }

  subscribePatterns(_patterns: readonly string[], _listener: MessageListener): Promise<void> {
    return refuseSubscription();
  }

  unsubscribePatterns(): Promise<void> {
    return Promise.resolve();
  }

  subscribe(_channels: string | readonly string[], _listener: MessageListener): Promise<void> {
    return refuseSubscription();
  }

  subscribeSharded(_channel: string, _listener: MessageListener): Promise<void> {
    return refuseSubscription();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#shared.remove(this)) {
      await this.#connection.close();
      return;
    }
    // Redis answers in order: behind the reply to this one, all commands of this share have theirs.
    const answered = this.masters().map((master) => master.command('PING'));
    await withDeadline(Promise.allSettled(answered), CLOSE_DEADLINE_MS, () => undefined);
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#shared.remove(this)) this.#connection.destroy();
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new RedisNotReadyError('The connection is closed.'));
}

function refuseSubscription(): Promise<never> {
  return Promise.reject(new RangeError('This connection is shared: subscribe on a duplicate of it.'));
}
