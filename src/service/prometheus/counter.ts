import { Metric, type MetricOptions, type Sample } from './metric.ts';

/** One series of a counter. */
export interface CounterSeries {
  /** `count`: default 1. */
  inc(count?: number): void;
}

/** Counts upwards, from 0 at the start of the process. */
export class Counter<Label extends string = never> extends Metric<Label, CounterSeries & { readonly value: number }> {
  constructor(options: MetricOptions<Label>) {
    super('counter', options);
  }

  /** Adds to the series with these labels. `count`: default 1. */
  inc(labels?: Readonly<Partial<Record<Label, string>>> & object, count = 1): void {
    this.seriesOf(labels ?? {}).inc(count);
  }

  /** Returns the series with these labels, for callers that count often: the labels are looked up once. */
  labels(labels: Readonly<Partial<Record<Label, string>>>): CounterSeries {
    return this.seriesOf(labels);
  }

  protected override create(): CounterSeries & { readonly value: number } {
    let value = 0;
    return {
      get value() {
        return value;
      },
      inc: (count = 1) => {
        value += count;
      },
    };
  }

  protected override samplesOf(
    labels: Readonly<Record<string, string>>,
    { value }: { readonly value: number },
  ): Sample[] {
    return [{ name: this.name, labels, value }];
  }
}
