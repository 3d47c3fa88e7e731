import type { ServerAddress } from '../options/connection-options.ts';

/** A server to connect to. */
export interface ResolvedAddress extends Required<ServerAddress> {
  /** Whether each command must be preceded by ASKING: the slot is on its way to this server. */
  readonly asking?: boolean;
}

/** Says where a connection goes, each time that it connects. */
export interface AddressResolver {
  /** Where to connect now. `left`: where the connection was until now, because that went wrong.
   *  @throws RedisUnavailableError where nobody could say it, or an error of the driver. */
  resolve(left: ResolvedAddress | undefined): Promise<ResolvedAddress>;
  /** Whether only a master will do: a server that has become a replica is left. */
  readonly needsMaster: boolean;
  /** Calls `listener` when a connection may have to go elsewhere; returns what ends that. */
  watch(listener: () => void): () => void;
  /** Whether a connection to `address` is right there, by what is known now. */
  isCurrent(address: ResolvedAddress): boolean;
}
