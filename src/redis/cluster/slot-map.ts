import { describeServer, type ServerAddress } from '../options/connection-options.ts';

const SLOTS = 16_384;

/** The reply to CLUSTER SLOTS: first slot, last slot, then the master and its replicas, each host, port, id, ... */
export type ClusterSlots = readonly (readonly [
  number,
  number,
  ...(readonly [string | null, number, ...unknown[]])[],
])[];

/** The slots of a Cluster and their masters. Immutable; nodes are named by `host:port`. */
export class SlotMap {
  /** The masters that have slots, by name. */
  readonly masters: ReadonlyMap<string, Required<ServerAddress>>;
  readonly #bySlot: readonly (string | undefined)[];

  private constructor(bySlot: readonly (string | undefined)[], known: ReadonlyMap<string, Required<ServerAddress>>) {
    this.#bySlot = bySlot;
    const names = new Set(bySlot);
    this.masters = new Map([...known].filter(([name]) => names.has(name)));
  }

  /** Reads the reply of the host `answeredBy`; a node without a known host is at that host. */
  static fromReply(reply: ClusterSlots, answeredBy: string): SlotMap {
    const bySlot = new Array<string | undefined>(SLOTS).fill(undefined);
    const known = new Map<string, Required<ServerAddress>>();
    for (const [first, last, master] of reply) {
      if (master === undefined) continue;
      const [host, port] = master;
      const address = { host: host === null || host === '' || host === '?' ? answeredBy : host, port };
      const name = describeServer(address);
      known.set(name, address);
      bySlot.fill(name, first, last + 1);
    }
    return new SlotMap(bySlot, known);
  }

  /** The name of a slot's master; undefined where it has none. */
  masterOf(slot: number): string | undefined {
    return this.#bySlot[slot];
  }

  /** Returns this map with another master for one slot. */
  with(slot: number, master: Required<ServerAddress>): SlotMap {
    const name = describeServer(master);
    return new SlotMap(this.#bySlot.with(slot, name), new Map([...this.masters, [name, master]]));
  }

  equals(other: SlotMap | undefined): boolean {
    return other !== undefined && this.#bySlot.every((name, slot) => name === other.#bySlot[slot]);
  }
}
