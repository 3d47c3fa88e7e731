import type { CommandArguments, CommandConnection, RedisConnection } from '../redis/index.ts';

/** One operation's view of the connection: its commands are sent while its caller waits, and refused afterwards, so that
 *  nothing is done any more that was told as failed. */
export class StoreOperation implements CommandConnection {
  /** Until when, by Redis's clock, what it asks for may be done; 0 where that is not known. */
  readonly notAfter: number;
  readonly #redis: RedisConnection;
  #refusal: Error | undefined;

  constructor(redis: RedisConnection, notAfter: number) {
    this.#redis = redis;
    this.notAfter = notAfter;
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
    return this.#refusal ? Promise.reject(this.#refusal) : this.#redis.command<Reply>(...args);
  }

  /** See `RedisConnection.commandForBuffers`. */
  commandForBuffers<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    return this.#refusal ? Promise.reject(this.#refusal) : this.#redis.commandForBuffers<Reply>(...args);
  }
}
