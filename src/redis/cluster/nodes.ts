import { NodeConnection } from '../node/node-connection.ts';
import { describeServer, type ServerAddress } from '../options/connection-options.ts';
import type { ClusterTopology } from './topology.ts';

/** Called when connections to nodes are ready, lost or reachable again. */
export interface NodeEvents {
  onReady(): void;
  onLost(error: Error): void;
  onReachable(): void;
}

/** One connection to each master of a Cluster, and to servers that are becoming masters. */
export class ClusterNodes {
  readonly #topology: ClusterTopology;
  readonly #name: string;
  readonly #events: NodeEvents;
  readonly #nodes = new Map<string, NodeConnection>();
  #preferred: string | undefined;
  #closed = false;

  constructor(topology: ClusterTopology, name: string, events: NodeEvents) {
    this.#topology = topology;
    this.#name = name;
    this.#events = events;
  }

  /** All connections, by the name of their node. */
  get all(): ReadonlyMap<string, NodeConnection> {
    return this.#nodes;
  }

  /** The connections to the masters that have slots, in the order of their slots. Opens those that are missing. */
  masters(): NodeConnection[] {
    return [...(this.#topology.map?.masters.values() ?? [])].map((at) => this.at(at));
  }

  /** Whether the masters are known and `holds` is true for each of them. */
  every(holds: (node: NodeConnection) => boolean): boolean {
    const { map } = this.#topology;
    if (map === undefined || map.masters.size === 0) return false;
    for (const name of map.masters.keys()) {
      const node = this.#nodes.get(name);
      if (node === undefined || !holds(node)) return false;
    }
    return true;
  }

  /** The connection to the master of a slot. */
  ofSlot(slot: number): NodeConnection | undefined {
    return this.#nodes.get(this.#topology.map?.masterOf(slot) ?? '');
  }

  /** A connection that is ready: always the same one until it is lost, so that published messages keep their order. */
  any(): NodeConnection | undefined {
    const preferred = this.#nodes.get(this.#preferred ?? '');
    if (preferred?.isReady) return preferred;
    const ready = [...this.#nodes].filter(([, node]) => node.isReady);
    const [name, node] = ready[Math.floor(Math.random() * ready.length)] ?? [];
    this.#preferred = name;
    return node;
  }

  /** The connection to a server. Opens it where there is none. */
  at(address: Required<ServerAddress>): NodeConnection {
    const name = describeServer(address);
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const node = new NodeConnection(this.#topology.options, this.#name, address);
    this.#nodes.set(name, node);
    node.on('ready', () => this.#events.onReady());
    node.on('reachable', () => this.#events.onReachable());
    node.on('lost', (error) => {
      if (this.#nodes.get(name) === node && !this.#closed) this.#events.onLost(error);
    });
    if (!this.#closed) node.open();
    return node;
  }

  /** Connects to new masters and closes the connections to servers that are no longer masters. */
  follow(): void {
    if (this.#closed) return;
    for (const [name, node] of this.#nodes) {
      if (this.#topology.map?.masters.has(name)) continue;
      this.#nodes.delete(name);
      // Commands that were sent to it still get their replies.
      void node.close();
    }
    this.masters();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#nodes.values()].map((node) => node.close()));
  }

  destroy(): void {
    this.#closed = true;
    for (const node of this.#nodes.values()) node.destroy();
  }
}
