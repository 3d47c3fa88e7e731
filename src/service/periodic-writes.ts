import { withDeadline } from '../async/index.ts';

/** Writes at intervals what was noted in this process. No request waits for it. */
export class PeriodicWrites {
  readonly #work: () => Promise<void>;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  /** `work`: writes what was noted; must not reject. `intervalMs`: milliseconds from one write to the next. */
  constructor(work: () => Promise<void>, intervalMs: number) {
    this.#work = work;
    this.#intervalMs = intervalMs;
  }

  /** Starts. Its timer does not keep the process alive. */
  start(): void {
    this.#timer = setInterval(() => void this.write(), this.#intervalMs).unref();
  }

  /** Writes what was noted, for at most `deadlineMs` milliseconds, and stops. */
  async stop(deadlineMs: number): Promise<void> {
    clearInterval(this.#timer);
    // The first may have begun before what was noted last.
    const written = this.write().then(() => this.write());
    await withDeadline(written, deadlineMs, () => undefined);
  }

  /** Writes what was noted. One at a time: a call during a write waits for that one. Never rejects. */
  write(): Promise<void> {
    this.#writing ??= this.#work().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }
}
