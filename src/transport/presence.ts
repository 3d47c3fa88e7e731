import { decodeHeartbeat, HEARTBEAT_TTL_MS, parseSessionGlob, type SessionGlob } from '../protocol/index.ts';
import { GOOD_BYE_SILENCE_MS } from '../protocol/internal/index.ts';

/** An instance of the service, as its heartbeats describe it. */
export interface Instance {
  readonly id: string;
  readonly glob: SessionGlob;
  readonly commands: readonly string[];
  /** Whether it works off streams; there the glob means nothing. */
  readonly streams: boolean;
  /** Whether it subscribes to channels. */
  readonly channels: boolean;
}

/** Two instances that both serve some session: its views count twice. */
export interface Overlap {
  readonly instances: readonly [string, string];
  readonly globs: readonly [string, string];
}

const MAX_INSTANCES = 1000;
const SWEEP_INTERVAL_MS = 100;

interface Known {
  readonly instance: Instance;
  /** When it last said that it is there. */
  at: number;
  /** Whether good-bye was said in its name since then. */
  saidGoodBye: boolean;
}

/** Knows which instances are there, from their heartbeats. Any program may publish heartbeats, so it believes no more
 *  than it must. It holds at most 1,000 instances and forgets each that falls silent. A good-bye only shortens the
 *  silence after which an instance counts as gone. If heartbeats name more instances than it holds, it reports nothing
 *  as unserved. */
export class Presence {
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();
  #sweptAt = Number.NEGATIVE_INFINITY;
  // When a heartbeat last named an instance that found no room: any, and one that works off streams.
  #overflowAt = Number.NEGATIVE_INFINITY;
  #streamingOverflowAt = Number.NEGATIVE_INFINITY;

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes a message of the heartbeat channel. Returns the instance where it was not known before. */
  receive(message: string): Instance | undefined {
    const heartbeat = decodeHeartbeat(message);
    if (!heartbeat) return undefined;
    const { instance: id, glob, commands, leaving, streams, channels } = heartbeat;
    const known = this.#known.get(id);
    if (leaving) {
      if (known) known.saidGoodBye = true;
      return undefined;
    }
    if (known) {
      known.at = this.#now();
      known.saidGoodBye = false;
      return undefined;
    }
    if (!this.#hasRoom()) {
      this.#overflowAt = this.#now();
      if (streams) this.#streamingOverflowAt = this.#now();
      return undefined;
    }
    let parsed: SessionGlob;
    try {
      parsed = parseSessionGlob(glob);
    } catch {
      return undefined;
    }
    const instance = { id, glob: parsed, commands, streams, channels };
    this.#known.set(id, { instance, at: this.#now(), saidGoodBye: false });
    return instance;
  }

  /** The instances that are there now. */
  present(): Instance[] {
    this.#forgetSilent();
    return [...this.#known.values()].map(({ instance }) => instance);
  }

  /** The instances that are there now and have not announced their end since their last heartbeat. */
  staying(): Instance[] {
    this.#forgetSilent();
    return [...this.#known.values()].filter(({ saidGoodBye }) => !saidGoodBye).map(({ instance }) => instance);
  }

  /** Whether an instance that is known from another source may be there: it is not silent and has not announced its end
   *  since its last heartbeat. For partitions a good-bye may count at once, because leases protect those that it still
   *  owns. Also true for an unknown instance while heartbeats name more instances than this object holds. */
  mayStay(id: string): boolean {
    const known = this.#known.get(id);
    return known ? this.#isThere(known) && !known.saidGoodBye : this.#isRecent(this.#overflowAt);
  }

  /** The instance that serves a session, as far as is known. */
  serving(session: string): Instance | undefined {
    let leaving: Instance | undefined;
    for (const { instance, saidGoodBye } of this.#known.values()) {
      if (!instance.channels || !instance.glob.matches(session)) continue;
      if (!saidGoodBye) return instance;
      leaving ??= instance;
    }
    return leaving;
  }

  /** Whether an instance may be there that subscribes to a command of a session on channels. */
  hasSubscriber(command: string, session: string): boolean {
    if (this.#isRecent(this.#overflowAt)) return true;
    return this.present().some(
      ({ channels, commands, glob }) => channels && commands.includes(command) && glob.matches(session),
    );
  }

  /** Whether an instance is known that subscribes to a command of a session on channels. */
  isServed(command: string, session: string): boolean {
    for (const known of this.#known.values()) {
      const { channels, commands, glob } = known.instance;
      if (channels && commands.includes(command) && glob.matches(session) && this.#isThere(known)) return true;
    }
    return false;
  }

  /** Whether all instances that serve a session on a route know a command, and one at least is known. Over streams any
   *  instance may own the session's partition. False while heartbeats name more instances than this object holds. */
  allServe(command: string, session: string, route: 'channels' | 'streams'): boolean {
    if (this.#isRecent(this.#overflowAt)) return false;
    let isOneKnown = false;
    for (const known of this.#known.values()) {
      const { instance } = known;
      const isAsked = route === 'streams' ? instance.streams : instance.channels && instance.glob.matches(session);
      if (!isAsked || !this.#isThere(known)) continue;
      if (!instance.commands.includes(command)) return false;
      isOneKnown = true;
    }
    return isOneKnown;
  }

  /** Whether an instance is there that works off streams. */
  hasStreaming(): boolean {
    for (const known of this.#known.values()) if (known.instance.streams && this.#isThere(known)) return true;
    return this.#isRecent(this.#streamingOverflowAt);
  }

  /** Returns an overlap for each other instance that serves some of the same sessions and commands on channels. */
  overlapping(instance: Instance): Overlap[] {
    if (!instance.channels) return [];
    return this.staying()
      .filter((other) => other.channels && other.id !== instance.id && other.glob.overlaps(instance.glob))
      .filter((other) => other.commands.some((command) => instance.commands.includes(command)))
      .map((other) => ({ instances: [instance.id, other.id], globs: [instance.glob.text, other.glob.text] }));
  }

  // Limits how often it looks for silent instances: it is a walk over all instances, too expensive for each message.
  #hasRoom(): boolean {
    if (this.#known.size < MAX_INSTANCES) return true;
    if (this.#now() - this.#sweptAt >= SWEEP_INTERVAL_MS) this.#forgetSilent();
    return this.#known.size < MAX_INSTANCES;
  }

  #forgetSilent(): void {
    this.#sweptAt = this.#now();
    for (const [id, known] of this.#known) if (!this.#isThere(known)) this.#known.delete(id);
  }

  #isThere({ at, saidGoodBye }: Known): boolean {
    return this.#now() - at <= (saidGoodBye ? GOOD_BYE_SILENCE_MS : HEARTBEAT_TTL_MS);
  }

  #isRecent(at: number): boolean {
    return this.#now() - at <= HEARTBEAT_TTL_MS;
  }
}
