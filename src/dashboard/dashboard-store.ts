import type { RedisConnection } from '../redis/index.ts';
import type { Log, Namespace } from '../service/index.ts';
import type { SessionData } from '../sessions/index.ts';
import type { Presence } from '../transport/index.ts';
import type { OpenedStore } from './dashboard-options.ts';
import { InstanceWatch } from './health/instance-watch.ts';

/** What views read and act on: one open namespace a process. */
export class DashboardStore {
  /** Connection, keys, knowledge, the time by Redis's clock. */
  readonly namespace: Namespace;
  /** Session data, with the keys of the site where it was given them. */
  readonly sessions: SessionData;
  readonly log: Log;
  /** The path of the configuration file, where one was given. */
  readonly config: string | undefined;
  #listening: Promise<{ readonly watch: InstanceWatch; readonly subscriber: RedisConnection }> | undefined;

  /** `opened`: belongs to the store from now on, which closes it. */
  constructor({ namespace, sessions }: OpenedStore, log: Log, config?: string) {
    this.namespace = namespace;
    this.sessions = sessions;
    this.log = log;
    this.config = config;
  }

  /** The instances that are there, from their heartbeats.
   *  @throws RedisUnavailableError, or what Redis refuses with. */
  async presence(): Promise<Presence> {
    return (await this.instances()).presence;
  }

  /** What is heard of instances; listens from the first call on.
   *  @throws RedisUnavailableError, or what Redis refuses with. */
  async instances(): Promise<InstanceWatch> {
    this.#listening ??= this.#listen().catch((error) => {
      this.#listening = undefined;
      throw error;
    });
    return (await this.#listening).watch;
  }

  /** Closes all connections. Never throws. */
  async close(): Promise<void> {
    const listening = await this.#listening?.catch(() => undefined);
    await Promise.allSettled([listening?.subscriber.close(), this.sessions.close(), this.namespace.redis.close()]);
  }

  async #listen(): Promise<{ watch: InstanceWatch; subscriber: RedisConnection }> {
    const { redis, keys } = this.namespace;
    const watch = new InstanceWatch();
    const subscriber = redis.duplicate('sessionwise-dashboard');
    try {
      await subscriber.connect();
      await watch.listen(subscriber, keys.namespace);
    } catch (error) {
      subscriber.destroy();
      throw error;
    }
    return { watch, subscriber };
  }
}
