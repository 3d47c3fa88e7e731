const WIDTH = 24;
const INTERVAL_MS = 100;

/** Where a progress bar is drawn. */
export interface BarTarget {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shows progress, speed and remaining time of the sending in one line of a terminal. Draws nothing if the target is no
 *  terminal. */
export class ProgressBar {
  readonly #target: BarTarget;
  readonly #progress: () => number | undefined;
  readonly #now: () => number;
  readonly #started: number;
  #nextDraw = 0;
  #isDrawn = false;

  /** `progress`: 0 to 1; undefined if it is unknown (a pipe). `now`: monotonic milliseconds. */
  constructor(target: BarTarget, progress: () => number | undefined, now: () => number = () => performance.now()) {
    this.#target = target;
    this.#progress = progress;
    this.#now = now;
    this.#started = now();
  }

  /** Draws the progress, at most ten times a second. */
  update(requests: number): void {
    const now = this.#now();
    if (now < this.#nextDraw) return;
    this.#nextDraw = now + INTERVAL_MS;
    const seconds = (now - this.#started) / 1000;
    const rate = seconds > 0 ? Math.round(requests / seconds) : 0;
    const what = `${requests.toLocaleString('en-US')} requests, ${rate.toLocaleString('en-US')}/s`;
    const done = this.#progress();
    if (done === undefined) this.show(what);
    else {
      const full = Math.round(done * WIDTH);
      const left = done > 0 ? `, ${duration((seconds * (1 - done)) / done)} left` : '';
      const bar = `${'#'.repeat(full)}${'-'.repeat(WIDTH - full)}`;
      this.show(`[${bar}] ${String(Math.floor(done * 100)).padStart(3)} %  ${what}${left}`);
    }
  }

  /** Shows a text instead of the progress. */
  show(text: string): void {
    if (!this.#target.isTTY) return;
    this.#isDrawn = true;
    this.#target.write(`\r\x1b[2K${text.slice(0, (this.#target.columns || 80) - 1)}`);
  }

  /** Removes the line. */
  clear(): void {
    if (this.#isDrawn) this.#target.write('\r\x1b[2K');
    this.#isDrawn = false;
  }
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
