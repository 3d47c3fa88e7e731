import type { CommandArguments, CommandConnection, RedisConnection } from '../redis/index.ts';

/** A command that was sent and has not been answered. */
export interface PendingCommand {
  readonly key: string | undefined;
  /** Never rejects. */
  readonly settled: Promise<unknown>;
}

/** One operation's view of the connection: its commands are sent while its caller waits, and refused afterwards, so that
 *  nothing is done any more that was told as failed. In a Cluster it knows as well what it has asked whom. */
export class StoreOperation implements CommandConnection {
  readonly isCluster: boolean;
  /** Keys that commands went to, in a Cluster. */
  readonly keys: Set<string> = new Set();
  readonly pending: Set<PendingCommand> = new Set();
  readonly #redis: RedisConnection;
  readonly #notAfter: (session: string) => number;
  #refusal: Error | undefined;
  #failedKey: string | undefined;

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

  knownScripts(key: string | undefined): Set<string> {
    return this.#redis.knownScripts(key);
  }

  /** Refuses all further commands. */
  giveUp(refusal: Error): void {
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
    const key = keyOf(args);
    if (key !== undefined) this.keys.add(key);
    const reply = send();
    const command = { key, settled: reply.catch(() => undefined) };
    this.pending.add(command);
    try {
      return await reply;
    } catch (error) {
      this.#failedKey = key;
      throw error;
    } finally {
      this.pending.delete(command);
    }
  }
}

// Of the commands that the store sends.
function keyOf([name, first, , key]: CommandArguments): string | undefined {
  const found = name === 'EVAL' || name === 'EVALSHA' ? key : first;
  return found === undefined ? undefined : String(found);
}
