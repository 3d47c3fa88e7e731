import { encodeHeartbeat, HEARTBEAT_INTERVAL_MS, heartbeatChannel } from '../protocol/index.ts';
import { Keys, type RedisConnection } from '../redis/index.ts';
import { type Instance, type Overlap, OverlapLimiter, Presence } from '../transport/index.ts';
import { StreamInstances } from './stream-instances.ts';

// Limits the heartbeats that answer new instances: forged heartbeats must not cause one publish each.
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
   *  silent. A good-bye counts at once here: the partitions that an instance still owns are protected by their leases,
   *  and the others are free. */
  readonly streamingOthers = (): readonly string[] =>
    (this.#streams?.others ?? []).filter((id) => this.presence.mayStay(id));

  /** Subscribes with `subscriber` and, if it `publishes`, publishes a heartbeat at once and then each 500 ms. */
  async start(subscriber: RedisConnection, publishes = true): Promise<void> {
    this.#publishes = publishes;
    await subscriber.subscribe(heartbeatChannel(this.#namespace), (message) => {
      const arrived = this.presence.receive(message);
      if (!arrived || arrived.id === this.#self.id) return;
      // Answers with a heartbeat: the new instance would otherwise not know this one for half a second.
      this.#answerSoon();
      for (const overlap of this.presence.overlapping(this.#self)) {
        if (overlap.instances[1] === arrived.id) this.#overlaps.offer(overlap);
      }
    });
    await this.#streams?.enter();
    this.beat();
    this.#timer = setInterval(() => this.beat(), HEARTBEAT_INTERVAL_MS);
  }

  /** Publishes a good-bye and stops. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#answer);
    this.#overlaps.stop();
    await Promise.all([this.#streams?.leave(), this.#publish(true)]);
  }

  /** Publishes a heartbeat now. */
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
    // Does not check first whether Redis is ready: in a Cluster any node can publish. A lost heartbeat is followed by
    // another.
    await this.#redis.command('PUBLISH', heartbeatChannel(this.#namespace), heartbeat).catch(() => undefined);
  }
}
