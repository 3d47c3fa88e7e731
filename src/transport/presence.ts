import { decodeHeartbeat, HEARTBEAT_TTL_MS, parseSessionGlob, type SessionGlob } from '../protocol/index.ts';

/** An instance of the service, as its heartbeats tell. */
export interface Instance {
  readonly id: string;
  readonly glob: SessionGlob;
  readonly commands: readonly string[];
  /** Whether it works off streams; there the glob means nothing. */
  readonly streams: boolean;
  /** Whether it hears channels. */
  readonly channels: boolean;
}

/** Two instances that both serve some session: its views count twice. */
export interface Overlap {
  readonly instances: readonly [string, string];
  readonly globs: readonly [string, string];
}

const MAX_INSTANCES = 1000;

/** Who is there, by the heartbeats heard. Anybody may publish heartbeats, so it believes no more than it must: it holds
 *  at most 1,000 instances and forgets each that falls silent. */
export class Presence {
  readonly #now: () => number;
  readonly #heard = new Map<string, { instance: Instance; at: number }>();

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes a message of the heartbeat channel. Returns the instance where it was not known before. */
  hear(message: string): Instance | undefined {
    const heartbeat = decodeHeartbeat(message);
    if (!heartbeat) return undefined;
    const { instance: id, glob, commands, leaving, streams, channels } = heartbeat;
    if (leaving) {
      this.#heard.delete(id);
      return undefined;
    }
    const known = this.#heard.get(id);
    if (known) {
      known.at = this.#now();
      return undefined;
    }
    this.#forgetSilent();
    if (this.#heard.size >= MAX_INSTANCES) return undefined;
    let parsed: SessionGlob;
    try {
      parsed = parseSessionGlob(glob);
    } catch {
      return undefined;
    }
    const instance = { id, glob: parsed, commands, streams, channels };
    this.#heard.set(id, { instance, at: this.#now() });
    return instance;
  }

  /** The instances that are there now. */
  present(): Instance[] {
    this.#forgetSilent();
    return [...this.#heard.values()].map(({ instance }) => instance);
  }

  /** The instance that serves a session, as far as is known. */
  serving(session: string): Instance | undefined {
    for (const { instance } of this.#heard.values()) {
      if (instance.channels && instance.glob.matches(session)) return instance;
    }
    return undefined;
  }

  /** Whether an instance is there that hears a command on channels, for a session. */
  hears(command: string, session: string): boolean {
    return this.present().some(
      ({ channels, commands, glob }) => channels && commands.includes(command) && glob.matches(session),
    );
  }

  /** The instances that work off streams. */
  streaming(): Instance[] {
    return this.present().filter(({ streams }) => streams);
  }

  /** Whether an instance is there that works off streams. */
  hasStreaming(): boolean {
    const oldest = this.#now() - HEARTBEAT_TTL_MS;
    for (const { instance, at } of this.#heard.values()) if (instance.streams && at >= oldest) return true;
    return false;
  }

  /** Those who serve on channels sessions and commands that `instance` serves there too, itself left out. */
  overlapping(instance: Instance): Overlap[] {
    if (!instance.channels) return [];
    return this.present()
      .filter((other) => other.channels && other.id !== instance.id && other.glob.overlaps(instance.glob))
      .filter((other) => other.commands.some((command) => instance.commands.includes(command)))
      .map((other) => ({ instances: [instance.id, other.id], globs: [instance.glob.text, other.glob.text] }));
  }

  #forgetSilent(): void {
    const oldest = this.#now() - HEARTBEAT_TTL_MS;
    for (const [id, { at }] of this.#heard) if (at < oldest) this.#heard.delete(id);
  }
}
