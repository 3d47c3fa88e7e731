import { warnOnce } from '../../protocol/internal/index.ts';

/** Counts copies of sessions that could not be written, tells each, and warns once outside production. */
export class MirrorFailures {
  readonly #tell: (error: Error) => void;
  #count = 0;

  /** `tell` is given each failure; what it throws is an uncaught exception, and not the page's error. */
  constructor(tell: (error: Error) => void) {
    this.#tell = tell;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** Notes a failure. Never throws. */
  add(reason: unknown): void {
    const error = reason instanceof Error ? reason : new Error(String(reason));
    this.#count += 1;
    warnOnce(
      'SESSIONWISE_MIRROR_FAILED',
      `A session was saved, but its copy for connect-redis was not (mirrorTo): ${error.message} Processes with connect-redis read it as it was before. Said once; the event mirror:failed tells each, and store.data.mirrorCounters counts them.`,
    );
    queueMicrotask(() => this.#tell(error));
  }
}
