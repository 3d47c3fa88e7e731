import type { Metric } from 'prom-client';

/** The value of a counter or gauge, summed over the samples that carry all of `labels`. */
export async function metricOf(metric: Metric, labels: Record<string, string> = {}): Promise<number> {
  const { values } = await metric.get();
  return values
    .filter((sample) => Object.entries(labels).every(([name, value]) => sample.labels[name] === value))
    .reduce((sum, sample) => sum + sample.value, 0);
}
