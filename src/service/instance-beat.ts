import { encodeHeartbeat, HEARTBEAT_INTERVAL_MS, heartbeatChannel } from '../protocol/index.ts';
import { Keys, type RedisConnection } from '../redis/index.ts';
import { type Instance, type Overlap, OverlapLimiter, Presence } from '../transport/index.ts';
import { StreamInstances } from './stream-instances.ts';

// Who arrives is answered, and whoever invents arrivals must not make us publish for each of them.
const ANSWER_INTERVAL_MS = 50;

/** Publishes this instance's heartbeats and receives those of the others. */
export class InstanceBeat {
  readonly #redis: RedisConnection;
  readonly #namespace: string;
  readonly #self: Instance;
  readonly #overlaps: OverlapLimiter;
  readonly #streams: StreamInstances | undefined;
  /** The instances that are there, from the heartbeats received. */
  readonly presence: Presence = new Presence();
  #timer: NodeJS.Timeout | undefined;
  #answer: NodeJS.Timeout | undefined;
  #publishedAt = Number.NEGATIVE_INFINITY;
  #publishes = true;
  #stopped = false;

  /** `onOverlap`: called with another instance that serves some of the same sessions, at most once a second. */
  constructor(redis: RedisConnection, namespace: string, self: Instance, onOverlap: (overlap: Overlap) => void) {
    this.#redis = redis;
    this.#namespace = namespace;
    this.#self = self;
    this.#overlaps = new OverlapLimiter(onOverlap);
    this.#streams = self.streams ? new StreamInstances(redis, new Keys(namespace), self.id) : undefined;
  }

  /** Other instances that serve some of the same sessions. */
  overlapping(): Overlap[] {
    return this.presence.overlapping(this.#self);
  }

  /** Instances that are there, this one included. */
  instances(): number {
    return this.presence.staying().filter(({ id }) => id !== this.#self.id).length + 1;
  }

  /** Ids of the other instances among which partitions are shared out: those that have entered themselves and are not
   *  silent. A good-bye is believed here at once: what an instance still owns nobody takes from it, and what it does not
   *  own is free. */
  readonly streamingOthers = (): readonly string[] =>
    (this.#streams?.others ?? []).filter((id) => this.presence.mayStay(id));

  /** Subscribes with `subscriber` and, if it `publishes`, publishes a heartbeat at once and then each 500 ms. */
  async start(subscriber: RedisConnection, publishes = true): Promise<void> {
    this.#publishes = publishes;
    await subscriber.subscribe(heartbeatChannel(this.#namespace), (message) => {
      const arrived = this.presence.receive(message);
      if (!arrived || arrived.id === this.#self.id) return;
      // The one that was here first would otherwise be unknown to the new one for half a second.
      this.#answerSoon();
      for (const overlap of this.presence.overlapping(this.#self)) {
        if (overlap.instances[1] === arrived.id) this.#overlaps.offer(overlap);
      }
    });
    await this.#streams?.enter();
    this.beat();
    this.#timer = setInterval(() => this.beat(), HEARTBEAT_INTERVAL_MS);
  }

  /** Says good-bye. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#answer);
    this.#overlaps.stop();
    await Promise.all([this.#streams?.leave(), this.#publish(true)]);
  }

  /** One heartbeat, now. */
  beat(): void {
    if (this.#stopped) return;
    clearTimeout(this.#answer);
    this.#answer = undefined;
    void this.#streams?.enter();
    void this.#publish(false);
  }

  #answerSoon(): void {
    if (this.#stopped) return;
    const waitMs = this.#publishedAt + ANSWER_INTERVAL_MS - performance.now();
    if (waitMs <= 0) this.beat();
    else this.#answer ??= setTimeout(() => this.beat(), waitMs);
  }

  async #publish(leaving: boolean): Promise<void> {
    if (!this.#publishes) return;
    this.#publishedAt = performance.now();
    const { id, glob, commands, streams, channels } = this.#self;
    const heartbeat = encodeHeartbeat({ instance: id, glob: glob.text, commands, leaving, streams, channels });
    // Tried always: in a Cluster any one node that is there will do. One that is lost is followed by another.
    await this.#redis.command('PUBLISH', heartbeatChannel(this.#namespace), heartbeat).catch(() => undefined);
  }
}
