import type { ServerAddress } from '../options/connection-options.ts';

/** The address of the server to connect to. */
export interface ResolvedAddress extends Required<ServerAddress> {
  /** Whether ASKING must precede each command: the slot is moving to this server. */
  readonly asking?: boolean;
}

/** Resolves the address that a connection goes to, each time that it connects. */
export interface AddressResolver {
  /** Resolves the address to connect to now. `left`: the address of the connection that was lost; undefined at first.
   *  @throws RedisUnavailableError where no server could tell the address, or an error of the driver. */
  resolve(left: ResolvedAddress | undefined): Promise<ResolvedAddress>;
  /** Whether the server must be a master: then a connection leaves a server that has become a replica. */
  readonly needsMaster: boolean;
  /** Calls `listener` when a connection may have to go to another server. Returns a function that ends that. */
  watch(listener: () => void): () => void;
  /** Whether `address` is still right for a connection, as far as is known. */
  isCurrent(address: ResolvedAddress): boolean;
}
