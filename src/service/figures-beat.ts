import {
  encodeFigures,
  FIGURES_INTERVAL_MS,
  figuresChannel,
  type InstanceFigures,
  LATENCY_BOUNDS_S,
} from '../protocol/internal/index.ts';
import type { RedisConnection } from '../redis/index.ts';
import type { Metrics } from './metrics.ts';
import { packageVersion } from './package-version.ts';

/** Error replies that are the sender's fault: input that was refused. */
const REFUSING = ['bad-payload', 'too-large'];

/** What is known of an instance beside its metrics. */
export interface FiguresContext {
  readonly instance: string;
  readonly transport: string;
  readonly metrics: Metrics;
  /** Gauges, as they are now. */
  readonly now: () => Pick<InstanceFigures, 'inFlight' | 'backlog' | 'partitions' | 'overlap'>;
}

/** Publishes the figures of an instance each second: counts since its start, read off its metrics. Redis keeps nothing of
 *  them, and nobody hears them but dashboards. */
export class FiguresBeat {
  readonly #redis: RedisConnection;
  readonly #channel: string;
  readonly #context: FiguresContext;
  readonly #version = packageVersion();
  readonly #startedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(redis: RedisConnection, namespace: string, context: FiguresContext) {
    this.#redis = redis;
    this.#channel = figuresChannel(namespace);
    this.#context = context;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#publish(), FIGURES_INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #publish(): Promise<void> {
    if (!this.#redis.isReady) return;
    const figures = encodeFigures(await this.#figures());
    // A user without the right publishes none: its instance is shown without figures.
    await this.#redis.command('PUBLISH', this.#channel, figures).catch(() => undefined);
  }

  async #figures(): Promise<InstanceFigures> {
    const { instance, transport, metrics, now } = this.#context;
    const [requests, refused, unclaimed, unsent, errors, ofStreams, latency] = await Promise.all([
      sumOf(metrics.requests),
      sumOf(metrics.refused),
      sumOf(metrics.unclaimed),
      sumOf(metrics.replyFailures),
      metrics.errors.samples(),
      metrics.streamRequests.samples(),
      latencyOf(metrics),
    ]);
    const errorsWhere = (holds: (code: unknown) => boolean): number =>
      sum(errors.filter(({ labels }) => holds(labels.code)).map(({ value }) => value));
    const isRefusing = (code: unknown): boolean => REFUSING.includes(String(code));
    const unanswered = ofStreams.find(({ labels }) => labels.outcome === 'unanswered')?.value ?? 0;
    return {
      instance,
      transport,
      version: this.#version,
      uptimeS: Math.floor((performance.now() - this.#startedAt) / 1_000),
      requests,
      failed: errorsWhere((code) => !isRefusing(code)),
      late: unclaimed + unsent + unanswered,
      refused: refused + errorsWhere(isRefusing),
      latency,
      ...now(),
    };
  }
}

type Samples = { samples(): Promise<readonly { readonly value: number }[]> };

async function sumOf(metric: Samples): Promise<number> {
  return sum((await metric.samples()).map(({ value }) => value));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

// Prometheus counts cumulatively, for each command by itself.
async function latencyOf({ seconds }: Metrics): Promise<number[]> {
  const bounds = [...LATENCY_BOUNDS_S.map(String), '+Inf'];
  const cumulative = bounds.map(() => 0);
  for (const { name, labels, value } of await seconds.samples()) {
    const at = name.endsWith('_bucket') ? bounds.indexOf(labels.le!) : -1;
    if (at >= 0) cumulative[at]! += value;
  }
  return cumulative.map((count, i) => count - (cumulative[i - 1] ?? 0));
}
