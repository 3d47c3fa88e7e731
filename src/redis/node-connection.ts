import { EventEmitter } from 'node:events';
import { createClient, RESP_TYPES } from 'redis';
import {
  type ConnectionOptions,
  ConnectionOptionsError,
  describeConnection,
  parseConnection,
} from './connection-options.ts';
import {
  type CommandArguments,
  type ConnectionEvents,
  type MessageListener,
  type RedisConnection,
  RedisNotReadyError,
  RedisUnavailableError,
} from './redis-connection.ts';

/* node-connection.ts: the one place that knows the driver's ways.
 *
 * commandOptions.timeout is undefined on purpose: the driver's default creates an AbortSignal per command, measured
 * 3.4 times slower, and cancels nothing that was sent. Deadlines are the caller's. What guards against a server that
 * is there but silent (frozen, cut off) is socketTimeout with a PING more often than that: the connection is given up
 * and everything that waits on it is refused. Its time begins anew with each write, so a connection whose commands have
 * gone unanswered for two seconds takes no more of them. */

const PING_INTERVAL_MS = 2_000;
const SILENCE_LIMIT_MS = 6_000;
const STALL_LIMIT_MS = 2_000;
const FIRST_CONNECT_DEADLINE_MS = 5_000;
const CLOSE_DEADLINE_MS = 1_000;
const MAX_RECONNECT_DELAY_MS = 200;
const MAX_QUEUED_COMMANDS = 100_000;

const AS_BUFFERS = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

// biome-ignore lint/suspicious/noExplicitAny: the driver's client type has five parameters that nobody outside needs.
type Driver = any;

/** A client of the package `redis` (node-redis 5 or 6), made by `createClient`. It only lends its address and login: a
 *  connection of our own is made from them, and the client itself is neither used nor closed. */
export interface RedisClient {
  readonly options?: object | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: see Driver.
  duplicate(overrides?: any): any;
  // biome-ignore lint/suspicious/noExplicitAny: see Driver.
  sendCommand(...args: any[]): any;
}

/** A connection to one server. */
export class NodeConnection extends EventEmitter<ConnectionEvents> implements RedisConnection {
  readonly options: ConnectionOptions;
  readonly isCluster: boolean = false;
  readonly #knownScripts = new Set<string>();
  readonly #driver: Driver;
  #wasReady = false;
  #closed = false;
  #lastError: Error | undefined;
  #unanswered = 0;
  #heardAt = 0;

  readonly #source: string | ConnectionOptions | RedisClient;

  /** @throws ConnectionOptionsError for options that cannot be right. */
  constructor(connection: string | ConnectionOptions | RedisClient, name = 'sessionwise') {
    super();
    this.#source = connection;
    if (isClient(connection)) {
      this.options = addressOf(connection);
      const { socket } = optionsOf(connection);
      this.#driver = connection.duplicate({ name, RESP: 3, ...OUR_WAYS, socket: { ...socket, ...OUR_SOCKET } });
    } else {
      this.options = parseConnection(connection);
      this.#driver = createDriver(this.options, name);
    }
    this.#driver.on('error', (error: Error) => {
      this.#lastError = error;
      this.emit('lost', error);
    });
    this.#driver.on('ready', () => {
      this.#wasReady = true;
      // It may be another server, or the same one with an empty script cache.
      this.#knownScripts.clear();
      this.emit('ready');
    });
  }

  get isConnected(): boolean {
    return this.#driver.isReady;
  }

  get isReady(): boolean {
    return this.#driver.isReady && !this.#stalled();
  }

  get address(): string {
    return describeConnection(this.options);
  }

  open(): void {
    this.#driver.connect().catch(() => {
      // Every failure was told as `lost`; what rejects here at last is our own close.
    });
  }

  /** Connects, and waits for it.
   *  @throws RedisUnavailableError that says why, after `deadlineMs` (default 5,000), or at once where Redis refuses
   *  the name or password. */
  async connect(deadlineMs: number = FIRST_CONNECT_DEADLINE_MS): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => fail(this.#lastError), deadlineMs);
      const onReady = (): void => settle(resolve);
      const onLost = (error: Error): void => {
        if (isRefusal(error) || isAbsence(error) || knowsNoHello(error)) fail(error);
      };
      const settle = (done: () => void): void => {
        clearTimeout(timer);
        this.off('ready', onReady);
        this.off('lost', onLost);
        done();
      };
      const fail = (error: Error | undefined): void =>
        settle(() => {
          this.destroy();
          reject(new RedisUnavailableError(explain(this.address, error)));
        });
      this.on('ready', onReady);
      this.on('lost', onLost);
      this.open();
    });
    return this;
  }

  duplicate(name?: string): RedisConnection {
    return new NodeConnection(this.#source, name);
  }

  duplicateFor(_key: string, name?: string): RedisConnection {
    return this.duplicate(name);
  }

  isReadyFor(_key: string): boolean {
    return this.isReady;
  }

  masters(): RedisConnection[] {
    return [this];
  }

  knownScripts(_key: string | undefined): Set<string> {
    return this.#knownScripts;
  }

  /** Sends one command. Commands that are sent in the same turn share a write.
   *  @throws whatever Redis answers as an error; RedisNotReadyError, or an error of the driver where the connection is
   *  lost on the way. */
  command<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    return this.#send(() => this.#driver.sendCommand(args));
  }

  commandForBuffers<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    return this.#send(() => this.#driver.sendCommand(args, AS_BUFFERS));
  }

  /** MULTI, the commands, EXEC in one write.
   *  @throws where the transaction was refused or any command failed. */
  async transaction(commands: readonly CommandArguments[]): Promise<unknown[]> {
    const multi = this.#driver.multi();
    for (const args of commands) multi.addCommand(args);
    return this.#send(() => multi.exec());
  }

  async subscribePatterns(patterns: readonly string[], listener: MessageListener): Promise<void> {
    await this.#driver.pSubscribe([...patterns], listener);
  }

  async unsubscribePatterns(): Promise<void> {
    await this.#driver.pUnsubscribe();
  }

  async subscribe(channels: string | readonly string[], listener: MessageListener): Promise<void> {
    await this.#driver.subscribe(typeof channels === 'string' ? channels : [...channels], listener);
  }

  async subscribeSharded(channel: string, listener: MessageListener): Promise<void> {
    await this.#driver.sSubscribe(channel, listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    if (!this.#wasReady || !this.isReady) {
      this.destroy();
      return;
    }
    this.#closed = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, CLOSE_DEADLINE_MS);
    });
    await Promise.race([this.#driver.close().catch(() => undefined), late]);
    clearTimeout(timer);
    this.#driver.destroy();
  }

  // The driver would keep what MULTI sends until it is connected again; so nothing gets there while it is not.
  #send<Reply>(send: () => Promise<Reply>): Promise<Reply> {
    if (!this.isReady) return Promise.reject(new RedisNotReadyError(`Redis at ${this.address} does not answer now.`));
    if (this.#unanswered === 0) this.#heardAt = performance.now();
    this.#unanswered += 1;
    const reply = send();
    reply.then(this.#onAnswer, this.#onAnswer);
    return reply;
  }

  readonly #onAnswer = (): void => {
    this.#unanswered -= 1;
    this.#heardAt = performance.now();
  };

  #stalled(): boolean {
    return this.#unanswered > 0 && performance.now() - this.#heardAt > STALL_LIMIT_MS;
  }

  destroy(): void {
    this.#closed = true;
    this.#driver.destroy();
  }
}

// How every connection of ours behaves, whoever gave its address.
const OUR_WAYS = {
  disableOfflineQueue: true,
  commandsQueueMaxLength: MAX_QUEUED_COMMANDS,
  commandOptions: { timeout: undefined },
  maintNotifications: 'disabled',
  pingInterval: PING_INTERVAL_MS,
};
const OUR_SOCKET = {
  connectTimeout: FIRST_CONNECT_DEADLINE_MS,
  socketTimeout: SILENCE_LIMIT_MS,
  reconnectStrategy: (retries: number): number => Math.min(10 * 2 ** retries, MAX_RECONNECT_DELAY_MS),
};

function createDriver({ host, port, path, username, password, db, tls }: ConnectionOptions, name: string): Driver {
  return createClient({
    name,
    ...OUR_WAYS,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(db !== undefined && { database: db }),
    socket: {
      ...(path === undefined ? { host: host ?? '127.0.0.1', port: port ?? 6379 } : { path }),
      ...(tls && { tls: true, ...(typeof tls === 'object' && tls) }),
      ...OUR_SOCKET,
    },
    // biome-ignore lint/suspicious/noExplicitAny: the driver's socket union cannot be met by conditional parts.
  } as any);
}

function isClient(connection: string | ConnectionOptions | RedisClient): connection is RedisClient {
  if (typeof connection !== 'object' || !('duplicate' in connection)) return false;
  if ('masters' in connection || !('options' in connection)) {
    throw new ConnectionOptionsError(
      'This Redis client is none of createClient(): give one of those, or a redis:// URL. Cluster and Sentinel clients cannot be used yet.',
    );
  }
  return true;
}

function optionsOf(client: RedisClient): { socket: ConnectionOptions; database?: number } {
  const { socket = {}, database } = (client.options ?? {}) as { socket?: ConnectionOptions; database?: number };
  return { socket, ...(database !== undefined && { database }) };
}

// For people only; the driver takes the rest from the client itself.
function addressOf(client: RedisClient): ConnectionOptions {
  const { socket, database } = optionsOf(client);
  const { host, port, path } = socket;
  return {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(path !== undefined && { path }),
    ...(database !== undefined && { db: database }),
  };
}

function isRefusal(error: Error): boolean {
  return /^(WRONGPASS|NOAUTH|NOPERM|ERR (AUTH|Client sent AUTH|invalid password|DB index))/.test(error.message);
}

function isAbsence(error: Error): boolean {
  return ['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'EACCES', 'ECONNRESET'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}

// HELLO came with Redis 6; older ones are below what we need in any case.
function knowsNoHello(error: Error): boolean {
  return /^ERR unknown command.*HELLO/i.test(error.message);
}

function explain(address: string, error: Error | undefined): string {
  if (error && isRefusal(error)) {
    // Some of Redis's messages are a paragraph; their first word says it.
    const [what] = error.message.startsWith('ERR') ? [error.message] : error.message.split(' ');
    return `Redis at ${address} refused the login or the database (${what}): check user, password and database number.`;
  }
  if (error && knowsNoHello(error)) {
    return `Redis at ${address} is older than version 6: Sessionwise needs 6.2 or newer.`;
  }
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const why = code ?? error?.message ?? 'no answer in time';
  return `Redis at ${address} cannot be reached (${why}): is it running, and is the address right?`;
}
