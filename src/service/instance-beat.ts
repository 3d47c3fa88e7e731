import { encodeHeartbeat, HEARTBEAT_INTERVAL_MS, heartbeatChannel } from '../protocol/index.ts';
import type { RedisConnection } from '../redis/index.ts';
import { type Instance, type Overlap, Presence } from '../transport/presence.ts';

/** Says that this instance is there, and hears which others are. */
export class InstanceBeat {
  readonly #redis: RedisConnection;
  readonly #namespace: string;
  readonly #self: Instance;
  readonly #onOverlap: (overlap: Overlap) => void;
  /** Who is there, as far as it was heard. */
  readonly presence: Presence = new Presence();
  #timer: NodeJS.Timeout | undefined;
  #speaks = true;

  constructor(redis: RedisConnection, namespace: string, self: Instance, onOverlap: (overlap: Overlap) => void) {
    this.#redis = redis;
    this.#namespace = namespace;
    this.#self = self;
    this.#onOverlap = onOverlap;
  }

  /** Other instances that serve some of the same sessions. */
  overlapping(): Overlap[] {
    return this.presence.overlapping(this.#self);
  }

  /** Instances that are there, this one included. */
  instances(): number {
    return this.presence.present().filter(({ id }) => id !== this.#self.id).length + 1;
  }

  /** Listens on `subscriber` and, where it `speaks`, says that it is there, at once and then each 500 ms. */
  async start(subscriber: RedisConnection, speaks = true): Promise<void> {
    this.#speaks = speaks;
    await subscriber.subscribe(heartbeatChannel(this.#namespace), (message) => {
      const arrived = this.presence.hear(message);
      if (!arrived || arrived.id === this.#self.id) return;
      // The one that was here first would otherwise be unknown to the new one for half a second.
      this.beat();
      this.presence
        .overlapping(this.#self)
        .filter(({ instances }) => instances[1] === arrived.id)
        .forEach(this.#onOverlap);
    });
    this.beat();
    this.#timer = setInterval(() => this.beat(), HEARTBEAT_INTERVAL_MS);
  }

  /** Says good-bye. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#say(true);
  }

  /** One heartbeat, now. */
  beat(): void {
    void this.#say(false);
  }

  async #say(leaving: boolean): Promise<void> {
    if (!this.#speaks) return;
    const { id, glob, commands, streams, channels } = this.#self;
    const heartbeat = encodeHeartbeat({ instance: id, glob: glob.text, commands, leaving, streams, channels });
    // Tried always: in a Cluster any one node that is there will do. One that is lost is followed by another.
    await this.#redis.command('PUBLISH', heartbeatChannel(this.#namespace), heartbeat).catch(() => undefined);
  }
}
