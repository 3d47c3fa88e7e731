const WINDOW_MS = 60_000;
const MOST_SUBJECTS = 10_000;

/** Bounds how many messages of one subject count in a minute, in this process. A visitor who keeps no cookie is another
 *  subject each time: as with documents, that is bounded by what the site does about too many requests. */
export class BeaconLimit {
  readonly #most: number;
  readonly #counts = new Map<string, { count: number; readonly since: number }>();

  /** `most`: in a minute. */
  constructor(most = 120) {
    this.#most = most;
  }

  /** Whether one more message of a subject counts. */
  take(subject: string): boolean {
    const now = performance.now();
    const known = this.#counts.get(subject);
    if (known && now - known.since < WINDOW_MS) {
      known.count += 1;
      return known.count <= this.#most;
    }
    this.#counts.delete(subject);
    if (this.#counts.size >= MOST_SUBJECTS) this.#counts.delete(this.#counts.keys().next().value!);
    this.#counts.set(subject, { count: 1, since: now });
    return true;
  }
}
