import { labelText } from './label-text.ts';

/** One line of a metric: a value and the labels that it has. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a metric is declared with. */
export interface MetricOptions<Label extends string> {
  readonly name: string;
  /** What it counts, in one sentence. */
  readonly help: string;
  /** Default: none; the metric then has one series, which is there from the start. */
  readonly labelNames?: readonly Label[];
  /** Brings the values up to date. Called before each collection. Default: nothing to do. */
  readonly collect?: () => void | Promise<void>;
}

/** Series of one name, one for each combination of label values, in Prometheus's text format. */
export abstract class Metric<Label extends string, Series> {
  readonly name: string;
  readonly #help: string;
  readonly #type: string;
  readonly #labelNames: readonly Label[];
  readonly #collect: (() => void | Promise<void>) | undefined;
  readonly #series = new Map<string, { readonly labels: Readonly<Record<string, string>>; readonly series: Series }>();

  protected constructor(type: string, { name, help, labelNames = [], collect }: MetricOptions<Label>) {
    this.name = name;
    this.#help = help;
    this.#type = type;
    this.#labelNames = labelNames;
    this.#collect = collect;
  }

  /** Makes a series that has no value yet. */
  protected abstract create(): Series;

  /** Returns the samples of one series. */
  protected abstract samplesOf(labels: Readonly<Record<string, string>>, series: Series): Iterable<Sample>;

  /** Returns the series with these labels; it is made at the first call. A label that is left out is the empty string, which
   *  Prometheus takes for a label that is not there. */
  protected seriesOf(labels: Readonly<Partial<Record<string, string>>>): Series {
    const values = this.#labelNames.map((name) => labels[name] ?? '');
    const key = values.join('\0');
    let found = this.#series.get(key);
    if (!found) {
      const given = Object.fromEntries(this.#labelNames.map((name, index) => [name, values[index]!]));
      found = { labels: given, series: this.create() };
      this.#series.set(key, found);
    }
    return found.series;
  }

  /** Drops all series. */
  reset(): void {
    this.#series.clear();
  }

  /** Returns all samples, as of now. */
  async samples(): Promise<Sample[]> {
    await this.#collect?.();
    if (this.#labelNames.length === 0) this.seriesOf({});
    return [...this.#series.values()].flatMap(({ labels, series }) => [...this.samplesOf(labels, series)]);
  }

  /** Returns the metric as text: what it is, then a line a sample. */
  async text(): Promise<string> {
    const help = this.#help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
    const lines = (await this.samples()).map(({ name, labels, value }) => `${name}${labelText(labels)} ${value}\n`);
    return `# HELP ${this.name} ${help}\n# TYPE ${this.name} ${this.#type}\n${lines.join('')}`;
  }
}
