import { waitUntil } from '../../support/wait-until.ts';

/** Lets several schedules stop at the same time, between two steps. */
export class Barrier {
  #running = 0;
  #waiting = 0;
  #opened: Promise<void> | undefined;
  #open: () => void = () => undefined;

  /** Runs a schedule, which passes the barrier before each step. */
  async run(work: () => Promise<void>): Promise<void> {
    this.#running += 1;
    try {
      await work();
    } finally {
      this.#running -= 1;
    }
  }

  /** Waits while it is closed. */
  async pass(): Promise<void> {
    if (!this.#opened) return;
    this.#waiting += 1;
    await this.#opened;
    this.#waiting -= 1;
  }

  /** Does `work` while every schedule stands still. */
  async whileClosed(work: () => Promise<void>): Promise<void> {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    try {
      await waitUntil('every schedule stands still', () => this.#waiting === this.#running, 60_000);
      await work();
    } finally {
      this.#opened = undefined;
      this.#open();
    }
  }
}
