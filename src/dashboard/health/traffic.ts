import { type InstanceFigures, LATENCY_BOUNDS_S } from '../../protocol/internal/index.ts';
import type { HeardInstance } from './instance-watch.ts';

/** What was done within a while, by one instance or several. */
export interface Traffic {
  readonly perSecond: number;
  /** About: within the counts of a histogram the times are taken as evenly spread. Null without a request. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** Share of requests, from 0 to 1, that failed, whose answer came too late or was taken by nobody, or that took longer than
   *  a page waits by default. Null without a request. */
  readonly degraded: number | null;
  /** Messages and payloads that were refused, a minute. */
  readonly refusedPerMinute: number;
}

/** A page's deadline, unless it is told another. */
const PAGE_DEADLINE_S = 0.1;

/** Adds up what instances did in the last `ms` milliseconds. */
export function trafficOf(instances: readonly HeardInstance[], ms: number, now: number): Traffic {
  const latency = [...LATENCY_BOUNDS_S, 0].map(() => 0);
  let [requests, failed, late, perSecond, refusedPerMinute] = [0, 0, 0, 0, 0];
  for (const { figures } of instances) {
    const last = figures.at(-1);
    const first = figures.find(({ at }) => at >= now - ms);
    if (!last || !first || last === first) continue;
    const seconds = (last.at - first.at) / 1_000;
    const grown = (name: 'requests' | 'failed' | 'late' | 'refused'): number =>
      grownBy(first.figures, last.figures, name);
    requests += grown('requests');
    failed += grown('failed');
    late += grown('late');
    perSecond += grown('requests') / seconds;
    refusedPerMinute += (60 * grown('refused')) / seconds;
    for (const i of latency.keys()) latency[i]! += Math.max(0, last.figures.latency[i]! - first.figures.latency[i]!);
  }
  const slow = latency.slice(LATENCY_BOUNDS_S.indexOf(PAGE_DEADLINE_S) + 1).reduce((sum, count) => sum + count, 0);
  return {
    perSecond,
    p50Ms: quantile(latency, 0.5),
    p95Ms: quantile(latency, 0.95),
    p99Ms: quantile(latency, 0.99),
    degraded: requests === 0 ? null : Math.min(1, (failed + late + slow) / requests),
    refusedPerMinute,
  };
}

function grownBy(
  first: InstanceFigures,
  last: InstanceFigures,
  name: 'requests' | 'failed' | 'late' | 'refused',
): number {
  return Math.max(0, last[name] - first[name]);
}

/** About the time, in milliseconds, within which a share of all requests was answered; null where there was none. */
export function quantile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = share * total;
  for (const [i, count] of counts.entries()) {
    if (count > 0 && left <= count) {
      const from = LATENCY_BOUNDS_S[i - 1] ?? 0;
      const to = LATENCY_BOUNDS_S[i] ?? from;
      return 1_000 * (from + ((to - from) * left) / count);
    }
    left -= count;
  }
  return 1_000 * LATENCY_BOUNDS_S.at(-1)!;
}
