import type { CommandArguments, CommandConnection, RedisConnection } from '../../redis/index.ts';

/** One operation's view of the connection: its commands are sent while its caller waits, and refused afterwards, so that
 *  nothing is done any more that was told as failed. In a Cluster it knows as well what it has asked whom. */
export class BoundedOperation implements CommandConnection {
  readonly isCluster: boolean;
  /** By `performance.now()`; its deadline counts from here. */
  readonly begunAt: number = performance.now();
  /** Keys that commands went to, in a Cluster. */
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

  /** Until when, by the clock of the server that holds a session, what is asked for may be done; 0 where that is not
   *  known. */
  notAfter(session: string): number {
    return this.#notAfter(session);
  }

  /** The key of the command that failed last, in a Cluster. */
  get failedKey(): string | undefined {
    return this.#failedKey;
  }

  /** The keys of the commands that have not been answered, in a Cluster. */
  pendingKeys(): string[] {
    return [...this.#pending].map(({ key }) => key);
  }

  knownScripts(key: string | undefined): Set<string> {
    return this.#redis.knownScripts(key);
  }

  /** Refuses all further commands. */
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

// Of the commands that the store sends in a Cluster, all of which have one.
function keyOf([name, first, , key]: CommandArguments): string {
  return String(name === 'EVAL' || name === 'EVALSHA' ? key : first);
}
