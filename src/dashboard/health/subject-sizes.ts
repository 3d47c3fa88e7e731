import type { Keys, RedisConnection } from '../../redis/index.ts';

/** How much memory subjects take, by some of them. */
export interface SubjectSizes {
  /** How many were measured. */
  readonly sampled: number;
  readonly meanBytes: number;
  readonly medianBytes: number;
  readonly largestBytes: number;
}

const MOST_SCANS = 5;
const KEYS_A_SCAN = 200;
const MOST_SUBJECTS = 25;

/** Measures some subjects at a time, others each time: it goes on where the last sample ended, and costs Redis at most 1,000
 *  keys looked at and 25 subjects measured. */
export class SubjectSizeSample {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  #cursors: string[] = [];

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Null where no subject was found.
   *  @throws what Redis refuses with. */
  async read(): Promise<SubjectSizes | null> {
    const found = (await Promise.all(this.#redis.masters().map((master, i) => this.#scan(master, i)))).flat();
    const subjects = [...new Set(found)].slice(0, MOST_SUBJECTS);
    const sizes = await Promise.all(subjects.map((subject) => this.#bytesOf(subject)));
    if (sizes.length === 0) return null;
    sizes.sort((one, other) => one - other);
    return {
      sampled: sizes.length,
      meanBytes: Math.round(sizes.reduce((sum, size) => sum + size, 0) / sizes.length),
      medianBytes: sizes[Math.floor(sizes.length / 2)]!,
      largestBytes: sizes.at(-1)!,
    };
  }

  async #scan(master: RedisConnection, i: number): Promise<string[]> {
    const subjects: string[] = [];
    const pattern = this.#keys
      .subject('SESSION')
      .replace(/\{\w+\}/, '{???}')
      .replace('SESSION', '[^@]*');
    for (let scans = 0; scans < MOST_SCANS && subjects.length < MOST_SUBJECTS; scans += 1) {
      const [cursor, keys] = await master.command<[string, string[]]>(
        ...['SCAN', this.#cursors[i] ?? '0', 'MATCH', pattern, 'COUNT', String(KEYS_A_SCAN)],
      );
      this.#cursors[i] = String(cursor);
      subjects.push(...keys.map((key) => key.split(':').at(-2)!));
      if (this.#cursors[i] === '0') break;
    }
    return subjects;
  }

  async #bytesOf(subject: string): Promise<number> {
    const keys = [...this.#keys.all(subject), this.#keys.record(subject)];
    const sizes = await Promise.all(keys.map((key) => this.#redis.command<number | null>('MEMORY', 'USAGE', key)));
    return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  }
}
