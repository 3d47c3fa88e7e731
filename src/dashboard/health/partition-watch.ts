import { type Keys, PARTITIONS, type RedisConnection } from '../../redis/index.ts';

/** Partitions that went from one owner to another. */
export interface Takeover {
  /** Milliseconds of the epoch, when it was seen. */
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly partitions: readonly number[];
}

/** Who owns which partition, and who owned it before. */
export interface PartitionOwners {
  /** By partition; null: nobody now. */
  readonly owners: readonly (string | null)[];
  /** The newest first. */
  readonly takeovers: readonly Takeover[];
}

const MOST_TAKEOVERS = 20;
/** Partitions are taken over one by one: what comes within this time is one event. */
const SAME_EVENT_MS = 10_000;
const LONGEST_ID = 64;

/** Reads the owners of the partitions, and notes who took over from whom since it looks. */
export class PartitionWatch {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #now: () => number;
  /** The last owner that each had. */
  readonly #lastOwners: (string | undefined)[] = [];
  #takeovers: Takeover[] = [];

  /** `now`: milliseconds of the epoch. */
  constructor(redis: RedisConnection, keys: Keys, now: () => number = Date.now) {
    this.#redis = redis;
    this.#keys = keys;
    this.#now = now;
  }

  /** @throws what Redis refuses with. */
  async read(): Promise<PartitionOwners> {
    const tokens = await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) =>
        this.#redis.command<string | null>('GET', this.#keys.owner(partition)),
      ),
    );
    return this.note(tokens.map((token) => (token === null ? null : ownerOf(token))));
  }

  /** Notes the owners that were read. */
  note(owners: readonly (string | null)[]): PartitionOwners {
    const moved = new Map<string, { from: string; to: string; partitions: number[] }>();
    for (const [partition, owner] of owners.entries()) {
      if (owner === null) continue;
      const from = this.#lastOwners[partition];
      this.#lastOwners[partition] = owner;
      if (from === undefined || from === owner) continue;
      const key = `${from} ${owner}`;
      const event = moved.get(key) ?? { from, to: owner, partitions: [] };
      event.partitions.push(partition);
      moved.set(key, event);
    }
    for (const event of moved.values()) this.#add(event);
    return { owners, takeovers: this.#takeovers };
  }

  #add({ from, to, partitions }: Omit<Takeover, 'at'>): void {
    const now = this.#now();
    const same = this.#takeovers.find((each) => each.from === from && each.to === to && now - each.at <= SAME_EVENT_MS);
    const all = [...new Set([...(same?.partitions ?? []), ...partitions])].sort((one, other) => one - other);
    const others = this.#takeovers.filter((each) => each !== same);
    this.#takeovers = [{ at: same?.at ?? now, from, to, partitions: all }, ...others].slice(0, MOST_TAKEOVERS);
  }
}

/** The instance in the token of an ownership, without what makes the token one: that renews and commits. */
function ownerOf(token: string): string {
  return token.split(':', 1)[0]!.slice(0, LONGEST_ID);
}
