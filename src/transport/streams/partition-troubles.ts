import { isTransient } from '../../redis/index.ts';

const MAX_REASON_LENGTH = 200;

/** Partitions that cannot be worked off for a reason that does not pass by itself, such as a key of another type. */
export class PartitionTroubles {
  readonly #reasons = new Map<number, string>();
  readonly #tell: (partition: number, error: Error) => void;

  /** `tell`: is told of each failure. */
  constructor(tell: (partition: number, error: Error) => void) {
    this.#tell = tell;
  }

  /** One of them in words; undefined where all partitions can be worked off. */
  get first(): string | undefined {
    for (const [partition, reason] of this.#reasons) {
      return `Partition ${partition} of the streams cannot be worked off (${reason}).`;
    }
    return undefined;
  }

  /** Notes a failure. One that passes by itself is the connection's concern. */
  readonly note = (partition: number, error: Error): void => {
    if (isTransient(error)) return;
    this.#reasons.set(partition, error.message.slice(0, MAX_REASON_LENGTH));
    this.#tell(partition, error);
  };

  /** Notes that a partition can be worked off, here or by another instance. */
  clear(partition: number): void {
    this.#reasons.delete(partition);
  }
}
