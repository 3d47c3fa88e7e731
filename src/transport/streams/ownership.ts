import type { CommandConnection, Keys, RedisConnection } from '../../redis/index.ts';
import type { Admission } from '../service/admission.ts';
import type { ServerContext } from './entry-server.ts';
import type { PartitionWorker } from './partition-worker.ts';
import type { PoisonIsolation } from './poison-isolation.ts';

/** Parts that all workers of an instance share. */
export interface WorkerContext extends ServerContext {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  /** Whether an instance still sends heartbeats. */
  readonly isPresent: (instance: string) => boolean;
  /** One for all transports of the process. */
  readonly admission: Admission;
  /** One for all partitions of the process. */
  readonly isolation: PoisonIsolation;
  /** Called once when an ownership has ended. `hasFailed`: for a reason that does not pass by itself. */
  readonly onEnd: (worker: PartitionWorker, hasFailed: boolean) => void;
}

/** Input of a worker. */
export interface Ownership {
  readonly partition: number;
  readonly token: string;
  /** Sends commands to the server on which the partition was taken, and to no other. */
  readonly redis: CommandConnection;
  /** Does the same on a connection of its own, for the lease. */
  readonly leases: CommandConnection;
  /** Entries added later than this were not in flight when the previous owner crashed. In milliseconds of the epoch, by
   *  Redis's clock. */
  readonly inFlightUntil: number;
  /** Whether the last ownership ended for a reason that does not pass by itself: then one entry is tried at first. */
  readonly isCautious: boolean;
}
