import { Metric, type MetricOptions, type Sample } from './metric.ts';

/** One series of a histogram. */
export interface HistogramSeries {
  observe(value: number): void;
}

interface Observed extends HistogramSeries {
  /** How many values lay in each bucket and in none before it; the last is for those above all bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Counts values by size. A bucket holds those up to its bound, as Prometheus's `le` has it. */
export class Histogram<Label extends string = never> extends Metric<Label, Observed> {
  readonly #bounds: readonly number[];

  /** `bounds`: of the buckets, ascending. */
  constructor({ bounds, ...options }: MetricOptions<Label> & { readonly bounds: readonly number[] }) {
    super('histogram', options);
    this.#bounds = bounds;
  }

  /** Returns the series with these labels. */
  labels(labels: Readonly<Partial<Record<Label, string>>>): HistogramSeries {
    return this.seriesOf(labels);
  }

  protected override create(): Observed {
    const bounds = this.#bounds;
    const counts = new Array<number>(bounds.length + 1).fill(0);
    let sum = 0;
    return {
      counts,
      get sum() {
        return sum;
      },
      observe(value) {
        let index = 0;
        while (index < bounds.length && value > bounds[index]!) index += 1;
        counts[index]! += 1;
        sum += value;
      },
    };
  }

  protected override *samplesOf(labels: Readonly<Record<string, string>>, { counts, sum }: Observed): Iterable<Sample> {
    let total = 0;
    for (const [index, count] of counts.entries()) {
      total += count;
      const le = String(this.#bounds[index] ?? '+Inf');
      yield { name: `${this.name}_bucket`, labels: { ...labels, le }, value: total };
    }
    yield { name: `${this.name}_sum`, labels, value: sum };
    yield { name: `${this.name}_count`, labels, value: total };
  }
}
