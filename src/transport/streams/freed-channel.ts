import { decodeFreedPartitions, encodeFreedPartitions, heartbeatChannel } from '../../protocol/index.ts';
import { PARTITIONS, type RedisConnection } from '../../redis/index.ts';

// Any program may announce what it likes: of one partition no more than this is acted upon.
const HINT_INTERVAL_MS = 50;

/** Announces partitions that an instance has given back, on the channel of heartbeats: the next owner need not wait until
 *  it looks again. */
export class FreedChannel {
  readonly #redis: RedisConnection;
  readonly #subscriber: RedisConnection;
  readonly #channel: string;
  readonly #instance: string;
  readonly #freed: number[] = [];
  readonly #hintedAt = new Map<number, number>();

  /** `subscriber` carries the subscription, `redis` the messages of `instance`. */
  constructor(redis: RedisConnection, subscriber: RedisConnection, namespace: string, instance: string) {
    this.#redis = redis;
    this.#subscriber = subscriber;
    this.#channel = heartbeatChannel(namespace);
    this.#instance = instance;
  }

  /** Announces a partition, together with others of the same turn of the event loop. */
  add(partition: number): void {
    if (this.#freed.length === 0) setImmediate(() => this.flush());
    this.#freed.push(partition);
  }

  /** Announces at once what was added. A message that is lost only costs time. */
  flush(): void {
    if (this.#freed.length === 0) return;
    const message = encodeFreedPartitions({ instance: this.#instance, freed: this.#freed.splice(0) });
    this.#redis.command('PUBLISH', this.#channel, message).catch(() => undefined);
  }

  /** Subscribes to what other instances announce. The listener gets numbers of partitions. */
  async subscribe(listener: (instance: string, partitions: readonly number[]) => void): Promise<void> {
    await this.#subscriber.subscribe(this.#channel, (message) => {
      const announced = decodeFreedPartitions(message);
      if (!announced || announced.instance === this.#instance) return;
      listener(
        announced.instance,
        announced.freed.filter((partition) => this.#isHint(partition)),
      );
    });
  }

  #isHint(partition: number): boolean {
    const now = performance.now();
    if (!(partition >= 0 && partition < PARTITIONS)) return false;
    if (now < (this.#hintedAt.get(partition) ?? Number.NEGATIVE_INFINITY) + HINT_INTERVAL_MS) return false;
    this.#hintedAt.set(partition, now);
    return true;
  }
}
