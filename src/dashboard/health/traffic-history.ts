import type { InstanceWatch } from './instance-watch.ts';
import { trafficOf } from './traffic.ts';

/** Lines over time: seconds of the epoch, and a number for each, null where nothing is known. */
export interface TrafficLines {
  readonly times: readonly number[];
  readonly perSecond: readonly (number | null)[];
  readonly p50Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
}

const STEP_MS = 2_000;
const MOST_POINTS = 150;
/** A point tells of so long. */
const WINDOW_MS = 5_000;

interface Point {
  readonly time: number;
  readonly perSecond: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** The traffic of the last five minutes in which somebody looked. */
export class TrafficHistory {
  readonly #watch: InstanceWatch;
  #points: Point[] = [];

  constructor(watch: InstanceWatch) {
    this.#watch = watch;
  }

  /** The lines up to now; adds a point each two seconds. */
  lines(): TrafficLines {
    const time = Date.now() / 1_000;
    const last = this.#points.at(-1)?.time ?? 0;
    if (time - last >= STEP_MS / 1_000) {
      // Nobody looked for a while: a line through the gap would be invented.
      if (last > 0 && time - last > (4 * STEP_MS) / 1_000) {
        this.#points.push({ time: time - STEP_MS / 1_000, perSecond: null, p50Ms: null, p99Ms: null });
      }
      const { perSecond, p50Ms, p99Ms } = trafficOf(this.#watch.all(), WINDOW_MS, performance.now());
      this.#points.push({ time, perSecond, p50Ms, p99Ms });
      this.#points = this.#points.slice(-MOST_POINTS);
    }
    return {
      times: this.#points.map((point) => Math.round(point.time)),
      perSecond: this.#points.map((point) => rounded(point.perSecond)),
      p50Ms: this.#points.map((point) => rounded(point.p50Ms)),
      p99Ms: this.#points.map((point) => rounded(point.p99Ms)),
    };
  }
}

/** Three digits behind the point are enough for a line. */
function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1_000) / 1_000;
}
