import { heartbeatChannel } from '../protocol/index.ts';
import type { RedisConnection } from '../redis/index.ts';
import type { Log, Namespace } from '../service/index.ts';
import type { SessionData } from '../sessions/index.ts';
import { Presence } from '../transport/index.ts';
import type { OpenedStore } from './dashboard-options.ts';

/** What views read and act on: one open namespace a process. */
export class DashboardStore {
  /** Connection, keys, knowledge, the time by Redis's clock. */
  readonly namespace: Namespace;
  /** Session data, with the keys of the site where it was given them. */
  readonly sessions: SessionData;
  readonly log: Log;
  /** The path of the configuration file, where one was given. */
  readonly config: string | undefined;
  #presence: Promise<{ readonly presence: Presence; readonly subscriber: RedisConnection }> | undefined;

  /** `opened`: belongs to the store from now on, which closes it. */
  constructor({ namespace, sessions }: OpenedStore, log: Log, config?: string) {
    this.namespace = namespace;
    this.sessions = sessions;
    this.log = log;
    this.config = config;
  }

  /** The instances that are there, from their heartbeats; listens from the first call on.
   *  @throws RedisUnavailableError, or what Redis refuses with. */
  async presence(): Promise<Presence> {
    this.#presence ??= this.#listen().catch((error) => {
      this.#presence = undefined;
      throw error;
    });
    return (await this.#presence).presence;
  }

  /** Closes all connections. Never throws. */
  async close(): Promise<void> {
    const listening = await this.#presence?.catch(() => undefined);
    await Promise.allSettled([listening?.subscriber.close(), this.sessions.close(), this.namespace.redis.close()]);
  }

  async #listen(): Promise<{ presence: Presence; subscriber: RedisConnection }> {
    const { redis, keys } = this.namespace;
    const presence = new Presence();
    const subscriber = redis.duplicate('sessionwise-dashboard');
    try {
      await subscriber.connect();
      await subscriber.subscribe(heartbeatChannel(keys.namespace), (message) => presence.receive(message));
    } catch (error) {
      subscriber.destroy();
      throw error;
    }
    return { presence, subscriber };
  }
}
