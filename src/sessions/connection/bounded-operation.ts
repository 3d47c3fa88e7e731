import { AsyncResource } from 'node:async_hooks';
import type { CommandArguments, CommandConnection, RedisConnection } from '../../redis/index.ts';

const NO_KEYS: ReadonlySet<string> = new Set();

/** The latest moment for a write of a session, for an operation that has to be done at `deadlineAt`. */
type NotAfter = (session: string, deadlineAt: number) => number;

/** The connection as one operation sees it. Commands are sent while the caller waits and refused afterwards: an operation
 *  that was reported as failed must have no later effect. In a Cluster it also records which keys it sent commands to,
 *  so that a failure can be assigned to a slot. As an asynchronous resource it keeps the caller's context, in which a missed
 *  deadline is told. */
export class BoundedOperation extends AsyncResource implements CommandConnection {
  readonly isCluster: boolean;
  /** When the operation has to be done, by `performance.now()`. */
  readonly deadlineAt: number;
  readonly #redis: RedisConnection;
  readonly #notAfter: NotAfter;
  #refusal: Error | undefined;
  #failedKey: string | undefined;
  #keys: Set<string> | undefined;
  #sent = 0;
  /** One for each command that was sent and has not been answered. */
  #pending: Set<{ readonly key: string }> | undefined;

  constructor(redis: RedisConnection, deadlineAt: number, notAfter: NotAfter) {
    super('SessionwiseOperation');
    this.#redis = redis;
    this.deadlineAt = deadlineAt;
    this.#notAfter = notAfter;
    this.isCluster = redis.isCluster;
  }

  /** In a Cluster: the keys that commands were sent to. */
  get keys(): ReadonlySet<string> {
    return this.#keys ?? NO_KEYS;
  }

  /** How many commands were sent. */
  get sentCommands(): number {
    return this.#sent;
  }

  /** The latest moment at which Redis may execute a write for a session, by the clock of the server that holds the
   *  session, in milliseconds of the epoch; 0 while that clock is not known. */
  notAfter(session: string): number {
    return this.#notAfter(session, this.deadlineAt);
  }

  /** In a Cluster: the key of the command that failed last. */
  get failedKey(): string | undefined {
    return this.#failedKey;
  }

  /** In a Cluster: the keys of the commands that have not been answered. */
  pendingKeys(): string[] {
    return [...(this.#pending ?? [])].map(({ key }) => key);
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
    this.#sent += 1;
    if (this.isCluster) return this.#send(args, () => this.#redis.command<Reply>(...args));
    return this.#redis.command<Reply>(...args);
  }

  /** See `RedisConnection.commandForBuffers`. */
  commandForBuffers<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    if (this.#refusal) return Promise.reject(this.#refusal);
    this.#sent += 1;
    if (this.isCluster) return this.#send(args, () => this.#redis.commandForBuffers<Reply>(...args));
    return this.#redis.commandForBuffers<Reply>(...args);
  }

  async #send<Reply>(args: CommandArguments, send: () => Promise<Reply>): Promise<Reply> {
    const command = { key: keyOf(args) };
    this.#keys ??= new Set();
    this.#keys.add(command.key);
    this.#pending ??= new Set();
    const pending = this.#pending.add(command);
    try {
      return await send();
    } catch (error) {
      this.#failedKey = command.key;
      throw error;
    } finally {
      pending.delete(command);
    }
  }
}

// Every command that the store sends in a Cluster has a key, here or behind the number of keys.
function keyOf([name, first, , key]: CommandArguments): string {
  return String(name === 'EVAL' || name === 'EVALSHA' ? key : first);
}
