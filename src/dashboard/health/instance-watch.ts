import { decodeHeartbeat, heartbeatChannel } from '../../protocol/index.ts';
import {
  decodeFigures,
  FIGURES_INTERVAL_MS,
  figuresChannel,
  type InstanceFigures,
} from '../../protocol/internal/index.ts';
import type { RedisConnection } from '../../redis/index.ts';
import { Presence } from '../../transport/index.ts';

/** What was heard of an instance, at most so long ago. */
export interface HeardInstance {
  readonly id: string;
  /** Undefined where only its figures are heard: a service within an application. */
  glob: string | undefined;
  transport: string;
  /** When it was heard last, on the clock of `performance.now()`. */
  heardAt: number;
  /** Whether it has said good-bye since it was there last. */
  saidGoodBye: boolean;
  /** Its figures of the last minute, the oldest first. */
  readonly figures: { readonly at: number; readonly figures: InstanceFigures }[];
}

const MOST_INSTANCES = 200;
const REMEMBERED_MS = 10 * 60_000;
const FIGURES_KEPT_MS = 62_000;
const MOST_FIGURES = 2 * Math.ceil(FIGURES_KEPT_MS / FIGURES_INTERVAL_MS);
/** Silence after which an instance without heartbeats counts as gone. */
const FIGURES_TTL_MS = 3_500;
const LONGEST_ID = 64;

/** Listens to instances: which are there, which were there a while ago, and their figures. Any program may publish on these
 *  channels, so it holds at most 200 instances, and short texts. */
export class InstanceWatch {
  readonly presence: Presence = new Presence();
  readonly #now: () => number;
  readonly #beganAt: number;
  readonly #heard = new Map<string, HeardInstance>();

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#beganAt = now();
  }

  /** For how many milliseconds it has been listening. */
  listenedMs(): number {
    return this.#now() - this.#beganAt;
  }

  /** Subscribes.
   *  @throws what Redis refuses with. */
  async listen(subscriber: RedisConnection, namespace: string): Promise<void> {
    await subscriber.subscribe(heartbeatChannel(namespace), (message) => this.takeHeartbeat(message));
    // A user who may not hear figures sees the instances without them.
    await subscriber
      .subscribe(figuresChannel(namespace), (message) => this.takeFigures(message))
      .catch(() => undefined);
  }

  takeHeartbeat(message: string): void {
    this.presence.receive(message);
    const heartbeat = decodeHeartbeat(message);
    if (!heartbeat) return;
    const { streams, channels, leaving, glob } = heartbeat;
    const heard = this.#of(heartbeat.instance);
    if (!heard) return;
    if (leaving) heard.saidGoodBye = true;
    else {
      heard.heardAt = this.#now();
      heard.saidGoodBye = false;
    }
    heard.glob = glob.slice(0, LONGEST_ID);
    heard.transport = streams && channels ? 'both' : streams ? 'streams' : 'channels';
  }

  takeFigures(message: string): void {
    const figures = decodeFigures(message);
    const heard = figures && this.#of(figures.instance);
    if (!heard) return;
    const at = this.#now();
    // Heartbeats say whether it is there, where it sends any.
    if (heard.glob === undefined) {
      heard.heardAt = at;
      heard.transport = figures.transport;
    }
    heard.figures.push({ at, figures });
    while (heard.figures.length > MOST_FIGURES || at - heard.figures[0]!.at > FIGURES_KEPT_MS) heard.figures.shift();
  }

  /** All that were heard of in the last ten minutes, by their ids. */
  all(): HeardInstance[] {
    for (const [id, { heardAt }] of this.#heard) if (this.#now() - heardAt > REMEMBERED_MS) this.#heard.delete(id);
    return [...this.#heard.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** Whether an instance is there now. */
  isThere({ id, glob, heardAt }: HeardInstance): boolean {
    return glob === undefined
      ? this.#now() - heardAt <= FIGURES_TTL_MS
      : this.presence.present().some((each) => each.id === id);
  }

  /** For how many milliseconds nothing was heard of an instance. */
  silentMs({ heardAt }: HeardInstance): number {
    return this.#now() - heardAt;
  }

  #of(id: string): HeardInstance | undefined {
    const known = this.#heard.get(id);
    if (known) return known;
    if (id.length > LONGEST_ID || (this.#heard.size >= MOST_INSTANCES && this.all().length >= MOST_INSTANCES)) {
      return undefined;
    }
    const heard: HeardInstance = {
      ...{ id, glob: undefined, transport: '', heardAt: this.#now(), saidGoodBye: false, figures: [] },
    };
    this.#heard.set(id, heard);
    return heard;
  }
}
