import type { AddressResolver, ResolvedAddress } from '../node/address-resolver.ts';
import { describeServer, type ServerAddress } from '../options/connection-options.ts';
import { RedisUnavailableError } from '../redis-unavailable-error.ts';
import type { ClusterTopology } from './topology.ts';

/** Resolves the address of the master that has a slot. */
export class SlotResolver implements AddressResolver {
  readonly needsMaster = true;
  readonly #topology: ClusterTopology;
  readonly #slot: number;

  constructor(topology: ClusterTopology, slot: number) {
    this.#topology = topology;
    this.#slot = slot;
  }

  async resolve(left: ResolvedAddress | undefined): Promise<ResolvedAddress> {
    if (left !== undefined || this.#name() === undefined) await this.#topology.refresh();
    const address = this.#topology.map?.masters.get(this.#name() ?? '');
    if (address === undefined)
      throw new RedisUnavailableError(`No master has the slot ${this.#slot} of the Cluster now.`);
    return address;
  }

  watch(listener: () => void): () => void {
    return this.#topology.watch(listener);
  }

  isCurrent(address: ResolvedAddress): boolean {
    return this.#name() === describeServer(address);
  }

  #name(): string | undefined {
    return this.#topology.map?.masterOf(this.#slot);
  }
}

/** Resolves the address of any master, for subscriptions: a Cluster passes published messages to all its nodes. */
export class AnyNodeResolver implements AddressResolver {
  readonly needsMaster = false;
  readonly #topology: ClusterTopology;

  constructor(topology: ClusterTopology) {
    this.#topology = topology;
  }

  async resolve(left: ResolvedAddress | undefined): Promise<ResolvedAddress> {
    if (this.#topology.map === undefined) await this.#topology.refresh();
    else if (left !== undefined) this.#topology.refreshSoon();
    const masters = [...(this.#topology.map?.masters.values() ?? [])];
    const others = masters.filter((master) => left === undefined || describeServer(master) !== describeServer(left));
    const [address] = pick(others.length > 0 ? others : masters);
    if (address === undefined) throw new RedisUnavailableError('The Cluster has no master now.');
    return address;
  }

  watch(listener: () => void): () => void {
    return this.#topology.watch(listener);
  }

  isCurrent(address: ResolvedAddress): boolean {
    return this.#topology.map?.masters.has(describeServer(address)) ?? false;
  }
}

function pick(servers: readonly Required<ServerAddress>[]): Required<ServerAddress>[] {
  return servers.length === 0 ? [] : [servers[Math.floor(Math.random() * servers.length)]!];
}
