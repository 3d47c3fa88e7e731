/** Metrics that are collected together. */
export class Registry {
  /** The type of the text, for its answer. */
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #metrics: { text(): Promise<string> }[] = [];

  /** Adds a metric, and returns it. */
  add<Kind extends { text(): Promise<string> }>(metric: Kind): Kind {
    this.#metrics.push(metric);
    return metric;
  }

  /** Returns all metrics in Prometheus's text format, version 0.0.4. */
  async text(): Promise<string> {
    return (await Promise.all(this.#metrics.map((metric) => metric.text()))).join('\n');
  }
}
