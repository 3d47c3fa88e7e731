import type { AddressResolver, ResolvedAddress } from '../node/address-resolver.ts';
import { NodeConnection } from '../node/node-connection.ts';
import { oneShotCommand, replyWithin } from '../node/one-shot-command.ts';
import {
  type ConnectionOptions,
  describeConnection,
  describeServer,
  type ServerAddress,
} from '../options/connection-options.ts';
import { RedisUnavailableError } from '../redis-unavailable-error.ts';

const ASK_DEADLINE_MS = 1_000;
// "<master> <old host> <old port> <new host> <new port>"
const SWITCH_CHANNEL = '+switch-master';

/** Resolves the address of the master by asking the Sentinels, one after the other; the Sentinel that answered last is
 *  asked first. While there are listeners, it subscribes to all Sentinels: after a manual failover the old master takes
 *  writes for some eight more seconds, until the Sentinels make it a replica, and these writes are lost. */
export class SentinelResolver implements AddressResolver {
  readonly needsMaster = true;
  readonly #options: ConnectionOptions;
  readonly #login: ConnectionOptions;
  readonly #listeners = new Set<() => void>();
  readonly #subscribers = new Map<Required<ServerAddress>, NodeConnection>();
  #sentinels: readonly Required<ServerAddress>[];
  #master: ResolvedAddress | undefined;

  /** `options` with `sentinels` and `master`. */
  constructor(options: ConnectionOptions) {
    const { sentinels = [], sentinelUsername, sentinelPassword, tls } = options;
    this.#options = options;
    this.#sentinels = sentinels.map(({ host, port = 26379 }) => ({ host, port }));
    this.#login = {
      ...(sentinelUsername !== undefined && { username: sentinelUsername }),
      ...(sentinelPassword !== undefined && { password: sentinelPassword }),
      ...(tls !== undefined && { tls }),
    };
  }

  async resolve(): Promise<ResolvedAddress> {
    const failures: string[] = [];
    let isUnknown = false;
    for (const sentinel of this.#sentinels) {
      try {
        const found = await this.#ask(sentinel);
        if (found !== null) {
          this.#sentinels = [sentinel, ...this.#sentinels.filter((other) => other !== sentinel)];
          this.#master = { host: found[0], port: Number(found[1]) };
          return this.#master;
        }
        isUnknown = true;
      } catch (error) {
        failures.push(explain(sentinel, error as Error));
      }
    }
    const { master } = this.#options;
    if (isUnknown) {
      throw new RedisUnavailableError(
        `The Sentinels know no master "${master}" (${describeConnection(this.#options)}): check the name in redis+sentinel://h1:p1,h2:p2/<master>.`,
      );
    }
    throw new RedisUnavailableError(`No Sentinel says where the master "${master}" is. ${failures.join(' ')}`);
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#subscribers.size === 0) for (const sentinel of this.#sentinels) this.#listenTo(sentinel);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      for (const subscriber of this.#subscribers.values()) subscriber.destroy();
      this.#subscribers.clear();
    };
  }

  isCurrent(address: ResolvedAddress): boolean {
    return this.#master === undefined || describeServer(this.#master) === describeServer(address);
  }

  #listenTo(sentinel: Required<ServerAddress>): void {
    const subscriber = new NodeConnection(this.#login, 'sessionwise-resolver', sentinel);
    this.#subscribers.set(sentinel, subscriber);
    // Once: the connection renews the subscription by itself.
    subscriber.once('ready', () => {
      subscriber
        .subscribe(SWITCH_CHANNEL, (message) => this.#onSwitch(message))
        .catch(() => {
          // It was lost at once, or may not subscribe. The other Sentinels publish it too, and a lost connection asks again
          // in any case.
        });
    });
    subscriber.open();
  }

  #onSwitch(message: string): void {
    const [name, , , host, port] = message.split(' ');
    if (name !== this.#options.master || host === undefined) return;
    this.#master = { host, port: Number(port) };
    for (const listener of [...this.#listeners]) listener();
  }

  #ask(sentinel: Required<ServerAddress>): Promise<[string, string] | null> {
    const command = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#options.master ?? ''];
    const subscriber = this.#subscribers.get(sentinel);
    return subscriber?.isReady
      ? replyWithin(ASK_DEADLINE_MS, subscriber.command(...command), describeServer(sentinel))
      : oneShotCommand(this.#login, sentinel, ASK_DEADLINE_MS, ...command);
  }
}

function explain(sentinel: ServerAddress, error: Error): string {
  if (error instanceof RedisUnavailableError) return error.message;
  const name = describeServer(sentinel);
  if (/^ERR unknown command/i.test(error.message))
    return `Redis at ${name} is no Sentinel: theirs is mostly port 26379.`;
  return `${name}: ${error.message}`;
}
