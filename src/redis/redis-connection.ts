import type { EventEmitter } from 'node:events';
import type { ConnectionOptions } from './options/connection-options.ts';

/* redis-connection.ts: the interface of a connection to Redis, the same for one server, for the master that Sentinels
 * name, and for the masters of a Cluster. */

/** Receives the messages of a subscription. */
export type MessageListener = (message: string, channel: string) => void;

/** A command's name and its arguments. */
export type CommandArguments = readonly (string | Buffer)[];

/** Sends single commands. */
export interface CommandConnection {
  /** Hashes of the scripts that this connection has sent to the server that holds `key`. */
  knownScripts(key: string | undefined): Set<string>;
  /** Sends one command. */
  command<Reply = unknown>(...args: CommandArguments): Promise<Reply>;
  /** As `command`, with bulk strings as Buffers. */
  commandForBuffers<Reply = unknown>(...args: CommandArguments): Promise<Reply>;
}

/** The events of a connection. */
export interface ConnectionEvents {
  /** Connected, or connected again. In a Cluster: to all masters. */
  ready: [];
  /** The connection was lost or an attempt failed; further attempts follow. In a Cluster: to any master. */
  lost: [Error];
  /** More commands may be sent than before: a connection was made, a silent server answers again, or slots of a Cluster
   *  have another master. `isReady` and `isReadyFor` are worth another look. */
  reachable: [];
}

/** A connection to Redis. It reconnects by itself and renews its subscriptions; while it is down, every command is refused
 *  at once. In a Cluster a command goes to the master that holds its first key; without a key, to any master. */
export interface RedisConnection extends EventEmitter<ConnectionEvents>, CommandConnection {
  readonly options: ConnectionOptions;
  /** Whether keys are spread over several masters, so that an atomic step reaches one slot only. */
  readonly isCluster: boolean;
  /** Whether PUBLISH's count covers all subscribers. False in a Cluster: there it covers those of one node. */
  readonly countsAllSubscribers: boolean;
  /** Whether a command or a blocking read reaches one slot only. True in a Cluster. */
  readonly oneSlotPerRead: boolean;
  /** Whether a published message crosses every server, unless its channel is sharded. True in a Cluster. */
  readonly spreadsPublished: boolean;
  /** Whether `lost` may concern one of several masters while the others go on. True in a Cluster. */
  readonly failsInParts: boolean;
  /** Whether a key's slot may move to another server while a script runs, so that a script which builds key names must be
   *  refused as a whole (`Keys.absent`). True in a Cluster. */
  readonly movesSlots: boolean;
  /** Whether the connection is open; to a frozen server it stays open for some seconds. */
  readonly isConnected: boolean;
  /** Whether commands would be sent now. In a Cluster: to every master that has slots, and the connection for
   *  subscriptions is ready too. */
  readonly isReady: boolean;
  /** The address for logs and error messages, without user and password. */
  readonly address: string;
  /** Begins to connect and returns at once; the event `ready` follows. Tries again until `close`. */
  open(): void;
  /** Connects and waits until the connection is ready.
   *  @throws RedisUnavailableError that says why, after `deadlineMs` (default 5,000), or at once where Redis refuses
   *  the name or password. */
  connect(deadlineMs?: number): Promise<this>;
  /** Creates another connection with the same options, which is not open yet. */
  duplicate(name?: string): RedisConnection;
  /** Creates a connection to the one server that holds `key` (a key, or a sharded channel), which is not open yet: for
   *  commands that block and for sharded subscriptions. It follows the key when its slot moves or its master fails.
   *  Outside a Cluster the same as `duplicate`. */
  duplicateFor(key: string, name?: string): RedisConnection;
  /** Whether a command for `key` would be sent now. */
  isReadyFor(key: string): boolean;
  /** The master that a command for `key` would go to now, one of `masters()`; undefined while it is not known. */
  masterFor(key: string): RedisConnection | undefined;
  /** Pins commands to the server that holds `key` now. Where the key's slot gets another master, they are refused (MOVED)
   *  and not sent there, because that master may lack the last writes of the former one. Keys that are moving to another
   *  server are followed. Undefined while the server is not known. */
  pinnedFor(key: string): CommandConnection | undefined;
  /** The connections to all masters that are known and have slots, for commands that every server must execute; outside a
   *  Cluster this connection itself. They belong to this connection: do not close them. */
  masters(): RedisConnection[];
  /** Sends one command. Commands to the same server that are sent in the same turn share a write. In a Cluster a command
   *  that a server did not execute because the slot is elsewhere is sent to that server.
   *  @throws the error that Redis answers; RedisNotReadyError where nothing was sent; an error of the driver where the
   *  connection was lost before the reply: the command may have been executed. RangeError in a Cluster for a command
   *  about one server's whole keyspace, as SCAN. */
  command<Reply = unknown>(...args: CommandArguments): Promise<Reply>;
  /** Sends MULTI, the commands and EXEC in one write. All keys must share a slot.
   *  @throws the error of the transaction or of any command. */
  transaction(commands: readonly CommandArguments[]): Promise<unknown[]>;
  /** Subscribes to patterns; the subscription survives reconnects. */
  subscribePatterns(patterns: readonly string[], listener: MessageListener): Promise<void>;
  /** Ends all pattern subscriptions. */
  unsubscribePatterns(): Promise<void>;
  /** Subscribes to channels; the subscription survives reconnects. */
  subscribe(channels: string | readonly string[], listener: MessageListener): Promise<void>;
  /** Subscribes to a channel of this server's shard; the subscription survives reconnects. Only on a connection that
   *  `duplicateFor` created for the channel, and only in a Cluster whose servers have the command (Redis 7, Valkey). */
  subscribeSharded(channel: string, listener: MessageListener): Promise<void>;
  /** Closes when all commands have their replies, after one second at most. Never throws. */
  close(): Promise<void>;
  /** Closes at once; commands without a reply are refused. */
  destroy(): void;
}
