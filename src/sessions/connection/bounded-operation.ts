import type { CommandArguments, CommandConnection, RedisConnection } from '../../redis/index.ts';

/** The connection as one operation sees it. Commands are sent while the caller waits and refused afterwards: an operation
 *  that was reported as failed must have no later effect. In a Cluster it also records which keys it sent commands to,
 *  so that a failure can be assigned to a slot. */
export class BoundedOperation implements CommandConnection {
  readonly isCluster: boolean;
  /** When the operation began, by `performance.now()`; its deadline counts from here. */
  readonly begunAt: number = performance.now();
  /** In a Cluster: the keys that commands were sent to. */
  readonly keys: Set<string> = new Set();
  readonly #redis: RedisConnection;
  readonly #notAfter: (session: string) => number;
  #refusal: Error | undefined;
  #failedKey: string | undefined;
  /** One for each command that was sent and has not been answered. */
  readonly #pending = new Set<{ readonly key: string }>();

  constructor(redis: RedisConnection, notAfter: (session: string) => number) {
    this.#redis = redis;
    this.#notAfter = notAfter;
    this.isCluster = redis.isCluster;
  }

  /** The latest moment at which Redis may execute a write for a session, by the clock of the server that holds the
   *  session, in milliseconds of the epoch; 0 while that clock is not known. */
  notAfter(session: string): number {
    return this.#notAfter(session);
  }

  /** In a Cluster: the key of the command that failed last. */
  get failedKey(): string | undefined {
    return this.#failedKey;
  }

  /** In a Cluster: the keys of the commands that have not been answered. */
  pendingKeys(): string[] {
    return [...this.#pending].map(({ key }) => key);
  }

  knownScripts(key: string | undefined): Set<string> {
    return this.#redis.knownScripts(key);
  }

  /** Whether the caller no longer waits. */
  get isExpired(): boolean {
    return this.#refusal !== undefined;
  }

  /** Refuses all further commands with `refusal`: the caller no longer waits. */
  expire(refusal: Error): void {
    this.#refusal = refusal;
  }

  /** See `RedisConnection.command`. */
  command<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    if (this.#refusal) return Promise.reject(this.#refusal);
    if (this.isCluster) return this.#send(args, () => this.#redis.command<Reply>(...args));
    return this.#redis.command<Reply>(...args);
  }

  /** See `RedisConnection.commandForBuffers`. */
  commandForBuffers<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    if (this.#refusal) return Promise.reject(this.#refusal);
    if (this.isCluster) return this.#send(args, () => this.#redis.commandForBuffers<Reply>(...args));
    return this.#redis.commandForBuffers<Reply>(...args);
  }

  async #send<Reply>(args: CommandArguments, send: () => Promise<Reply>): Promise<Reply> {
    const command = { key: keyOf(args) };
    this.keys.add(command.key);
    this.#pending.add(command);
    try {
      return await send();
    } catch (error) {
      this.#failedKey = command.key;
      throw error;
    } finally {
      this.#pending.delete(command);
    }
  }
}

// Every command that the store sends in a Cluster has a key, here or behind the number of keys.
function keyOf([name, first, , key]: CommandArguments): string {
  return String(name === 'EVAL' || name === 'EVALSHA' ? key : first);
}
