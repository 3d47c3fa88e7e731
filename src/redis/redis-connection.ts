import type { EventEmitter } from 'node:events';
import type { ConnectionOptions } from './options/connection-options.ts';

/* redis-connection.ts: what the rest of the code knows of a connection to Redis, whether it goes to one server, to the
 * master that Sentinel names, or to the masters of a Cluster. */

/** Hears messages of a subscription. */
export type MessageListener = (message: string, channel: string) => void;

/** A command's name and its arguments. */
export type CommandArguments = readonly (string | Buffer)[];

/** What sends single commands. */
export interface CommandConnection {
  /** Hashes of the scripts that the server which holds `key` has from this connection. */
  knownScripts(key: string | undefined): Set<string>;
  /** Sends one command. */
  command<Reply = unknown>(...args: CommandArguments): Promise<Reply>;
  /** As `command`, with bulk strings as Buffers. */
  commandForBuffers<Reply = unknown>(...args: CommandArguments): Promise<Reply>;
}

/** What a connection tells. */
export interface ConnectionEvents {
  /** Connected, or connected again. In a Cluster: to all masters. */
  ready: [];
  /** The connection was lost or an attempt failed; it goes on trying. In a Cluster: to any master. */
  lost: [Error];
}

/** A connection. While it is down every command is refused at once; it comes back, with its subscriptions, by itself.
 *  In a Cluster commands go to the master that holds their first key; those without a key to any. */
export interface RedisConnection extends EventEmitter<ConnectionEvents>, CommandConnection {
  readonly options: ConnectionOptions;
  /** Whether keys lie on several masters, so that one step can touch one slot only. */
  readonly isCluster: boolean;
  /** Whether PUBLISH's count covers all subscribers. False in a Cluster: there it covers those of one node. */
  readonly countsAllSubscribers: boolean;
  /** Whether a command or a blocking read reaches one slot only. True in a Cluster. */
  readonly oneSlotPerRead: boolean;
  /** Whether a published message crosses every server, unless its channel is sharded. True in a Cluster. */
  readonly spreadsPublished: boolean;
  /** Whether `lost` may concern one of several masters while the others go on. True in a Cluster. */
  readonly failsInParts: boolean;
  /** Whether the connection stands; a frozen server's does for a while. */
  readonly isConnected: boolean;
  /** Whether commands would be sent now; in a Cluster, to every master that has slots, and what is subscribed to is
   *  heard. */
  readonly isReady: boolean;
  /** Where it goes, for people. */
  readonly address: string;
  /** Begins to connect and returns at once; `ready` tells. Goes on trying until `close`. */
  open(): void;
  /** Connects, and waits for it.
   *  @throws RedisUnavailableError that says why, after `deadlineMs` (default 5,000), or at once where Redis refuses
   *  the name or password. */
  connect(deadlineMs?: number): Promise<this>;
  /** Another connection to the same place, not yet opened. */
  duplicate(name?: string): RedisConnection;
  /** A connection of its own to the one server that holds `key` (a key, or a sharded channel), not yet opened: for
   *  commands that block and for sharded subscriptions. It follows the key when its slot moves or its master fails.
   *  Outside a Cluster the same as `duplicate`. */
  duplicateFor(key: string, name?: string): RedisConnection;
  /** Whether a command for `key` would be sent now. */
  isReadyFor(key: string): boolean;
  /** The one of `masters()` that a command for `key` would go to now; undefined while that is not known. */
  masterFor(key: string): RedisConnection | undefined;
  /** A way to the server that holds `key` now, and to no other: where the key's slot has got another master, its commands
   *  are refused (MOVED) and not sent there, because that master may lack the last writes of the former one. Keys that
   *  are on their way to another server are followed. Undefined while it is not known which server that is. */
  pinnedFor(key: string): CommandConnection | undefined;
  /** A connection to each master that has slots, as far as known, for what must be done on all of them; outside a Cluster
   *  itself. They belong to this connection: do not close them. */
  masters(): RedisConnection[];
  /** Sends one command. Commands that are sent in the same turn (to the same server) share a write. In a Cluster what a
   *  server did not execute because the slot is elsewhere is sent there.
   *  @throws whatever Redis answers as an error; RedisNotReadyError, or an error of the driver where the connection is
   *  lost on the way: then nobody knows whether it was executed. RangeError in a Cluster for a command that means one
   *  server's whole keyspace, as SCAN. */
  command<Reply = unknown>(...args: CommandArguments): Promise<Reply>;
  /** MULTI, the commands, EXEC in one write. All keys must share a slot.
   *  @throws where the transaction was refused or any command failed. */
  transaction(commands: readonly CommandArguments[]): Promise<unknown[]>;
  /** Subscribes to patterns; survives reconnects. */
  subscribePatterns(patterns: readonly string[], listener: MessageListener): Promise<void>;
  /** Ends all pattern subscriptions. */
  unsubscribePatterns(): Promise<void>;
  /** Subscribes to channels; survives reconnects. */
  subscribe(channels: string | readonly string[], listener: MessageListener): Promise<void>;
  /** Subscribes to a channel of this server's shard; survives reconnects. Only on a connection that `duplicateFor` made
   *  for the channel, and only in a Cluster whose servers have it (Redis 7, Valkey). */
  subscribeSharded(channel: string, listener: MessageListener): Promise<void>;
  /** Closes after what was sent has been answered, or after a second. Never throws. */
  close(): Promise<void>;
  /** Closes at once; what waits is refused. */
  destroy(): void;
}
