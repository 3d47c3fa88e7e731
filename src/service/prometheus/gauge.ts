import { Metric, type MetricOptions, type Sample } from './metric.ts';

/** A figure that goes up and down. */
export class Gauge<Label extends string = never> extends Metric<Label, { value: number }> {
  constructor(options: MetricOptions<Label>) {
    super('gauge', options);
  }

  /** Sets the series with these labels. */
  set(labels: Readonly<Partial<Record<Label, string>>>, value: number): void {
    this.seriesOf(labels).value = value;
  }

  protected override create(): { value: number } {
    return { value: 0 };
  }

  protected override samplesOf(
    labels: Readonly<Record<string, string>>,
    { value }: { readonly value: number },
  ): Sample[] {
    return [{ name: this.name, labels, value }];
  }
}
