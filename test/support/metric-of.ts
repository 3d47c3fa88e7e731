import type { Sample } from '../../src/service/prometheus/metric.ts';

/** The value of a counter or gauge, summed over the samples that carry all of `labels`. */
export async function metricOf(
  metric: { samples(): Promise<Sample[]> },
  labels: Record<string, string> = {},
): Promise<number> {
  return (await metric.samples())
    .filter((sample) => Object.entries(labels).every(([name, value]) => sample.labels[name] === value))
    .reduce((sum, sample) => sum + sample.value, 0);
}
