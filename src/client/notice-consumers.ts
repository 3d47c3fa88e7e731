import { type ConsumeOptions, Consumers, consumeNotices, type NoticeEvent } from '../consumers/index.ts';
import { NoticeSeal } from '../protocol/internal/index.ts';
import { Keys, shareConnection } from '../redis/index.ts';
import type { SessionClientOptions } from './client-options.ts';

/** The loops of a client over what happens with notices. They read the stream themselves, without the service, and open
 *  the names in it with the secret. */
export class NoticeConsumers {
  readonly #open = new Consumers();
  readonly #redis: SessionClientOptions['redis'] | undefined;
  readonly #keys: Keys;
  readonly #seal: NoticeSeal | undefined;

  constructor({
    redis,
    secret,
    namespace,
  }: {
    readonly redis: SessionClientOptions['redis'] | undefined;
    readonly secret: string | undefined;
    readonly namespace: string;
  }) {
    this.#redis = redis;
    this.#keys = new Keys(namespace);
    this.#seal = secret === undefined ? undefined : new NoticeSeal(secret, namespace);
  }

  /** Makes a loop; it begins with the first event that is asked for.
   *  @throws RangeError without `redis` or `secret`, and for options that cannot be used. */
  open(options: ConsumeOptions): AsyncIterableIterator<NoticeEvent> {
    const [source, seal] = [this.#redis, this.#seal];
    if (source === undefined || seal === undefined) {
      throw new RangeError(
        'notices.events() needs the address of Redis, and the secret of the namespace, which opens the names of groups and subjects: new SessionClient({ redis, secret }), or createSessionwise({ redis, secret }).',
      );
    }
    const redis = () => shareConnection(source, 'sessionwise-consumer');
    return this.#open.add(consumeNotices({ redis, ownsRedis: true, keys: this.#keys, seal }, options));
  }

  /** Ends all loops. */
  close(): Promise<void> {
    return this.#open.close();
  }
}
