import type { CommandArguments, CommandConnection, RedisConnection } from '../redis-connection.ts';

/** Sends commands to one master of a Cluster and never to its successor, which may lack the last writes. Only commands for
 *  keys that are moving (ASK, TRYAGAIN) are sent over `cluster`, which follows the keys. */
export class PinnedNode implements CommandConnection {
  readonly #node: RedisConnection;
  readonly #cluster: CommandConnection;

  constructor(node: RedisConnection, cluster: CommandConnection) {
    this.#node = node;
    this.#cluster = cluster;
  }

  knownScripts(key: string | undefined): Set<string> {
    return this.#node.knownScripts(key);
  }

  command<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    return this.#node.command<Reply>(...args).catch((error: unknown) => {
      if (isOnTheWay(error)) return this.#cluster.command<Reply>(...args);
      throw error;
    });
  }

  commandForBuffers<Reply = unknown>(...args: CommandArguments): Promise<Reply> {
    return this.#node.commandForBuffers<Reply>(...args).catch((error: unknown) => {
      if (isOnTheWay(error)) return this.#cluster.commandForBuffers<Reply>(...args);
      throw error;
    });
  }
}

function isOnTheWay(error: unknown): boolean {
  return error instanceof Error && /^(ASK|TRYAGAIN) ?/.test(error.message);
}
