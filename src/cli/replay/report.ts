import type { SeenAnswers, SeenAnswersByForm, SeenForm } from './ask-seen.ts';
import { type ExactCount, keptMinutes } from './exact-count.ts';
import type { ReadBack } from './read-back.ts';
import type { SentLog } from './send-log.ts';

/** Everything that a replay found out. */
export interface ReplayFindings {
  readonly sent: SentLog;
  readonly back: ReadBack;
  /** With `verify` only. */
  readonly exact: ExactCount | undefined;
  readonly seen: SeenAnswersByForm | undefined;
  /** By how much Redis's `used_memory` grew, the buffers of connections left out; null where it does not tell. */
  readonly bytes: number | null;
  /** How often two instances were found to serve the same sessions. */
  readonly overlaps: number;
}

/** How the store answered for sessions of one form; null without `verify`. */
interface SeenReport {
  readonly falseNegatives: number | null;
  readonly falsePositives: number | null;
  /** Of `probes`; null too where there were none. */
  readonly falsePositiveRate: number | null;
  /** Pages asked for that the session had not seen. */
  readonly probes: number | null;
}

/** A replay in figures, as `--json` prints it. What needs `verify` is null without it. */
export interface ReplayReport {
  /** Page views sent. */
  readonly requests: number;
  readonly sessions: number;
  /** Page views that the store counted, all sessions together. */
  readonly views: number;
  /** Different pages per session, summed. */
  readonly uniquePages: {
    readonly exact: number | null;
    readonly estimated: number;
    readonly errorPercent: number | null;
  };
  readonly seen: SeenReport & {
    /** By how the session keeps its pages: in an exact set or in a filter. */
    readonly forms: Readonly<Record<SeenForm, SeenReport & { readonly sessions: number | null }>>;
  };
  /** Minutes with a view per session, summed. */
  readonly activeMinutes: { readonly exact: number | null; readonly stored: number };
  /** Growth of Redis's `used_memory`, the buffers of connections left out; null where Redis does not tell. */
  readonly bytesPerSession: number | null;
  readonly requestsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Requests without an answer within their deadline. */
  readonly degraded: number;
  /** Lines that are no request for a path. */
  readonly skippedLines: number;
}

/** Works the figures out. */
export function reportOf({ sent, back, exact, seen, bytes }: ReplayFindings): ReplayReport {
  const visits = [...back.visits.values()];
  const estimated = sum(visits.map(({ uniquePages }) => uniquePages));
  // Only what could be read back is compared: sessions that have expired are counted on neither side.
  const counted = exact && [...back.visits.keys()].map((session) => exact.sessions.get(session)!);
  const exactPages = counted && sum(counted.map(({ pages }) => pages.size));
  const exactMinutes = counted && sum(counted.map(({ minutes }) => keptMinutes(minutes).count));
  const all = seen && addAnswers(seen.exact, seen.filter, sent.falseNegatives);
  const formOf = (form: SeenForm) => ({ sessions: seen?.[form].sessions ?? null, ...seenReportOf(seen?.[form]) });
  const p50 = sent.latencies.quantile(0.5);
  const p99 = sent.latencies.quantile(0.99);
  return {
    requests: sent.requests,
    sessions: sent.visitors.length,
    views: sum(visits.map(({ totalPages }) => totalPages)),
    uniquePages: {
      exact: exactPages ?? null,
      estimated,
      errorPercent: exactPages ? round((100 * Math.abs(estimated - exactPages)) / exactPages, 3) : null,
    },
    seen: { ...seenReportOf(all), forms: { exact: formOf('exact'), filter: formOf('filter') } },
    activeMinutes: { exact: exactMinutes ?? null, stored: sum(visits.map(({ activeMinutes }) => activeMinutes)) },
    bytesPerSession: bytes === null ? null : Math.round(bytes / sent.visitors.length),
    requestsPerSecond: Math.round(sent.requests / sent.seconds),
    p50Ms: p50 === null ? null : round(p50, 2),
    p99Ms: p99 === null ? null : round(p99, 2),
    degraded: sent.degraded,
    skippedLines: sent.skippedLines,
  };
}

function addAnswers(a: SeenAnswers, b: SeenAnswers, furtherFalseNegatives: number): SeenAnswers {
  return {
    sessions: a.sessions + b.sessions,
    falseNegatives: a.falseNegatives + b.falseNegatives + furtherFalseNegatives,
    probes: a.probes + b.probes,
    falsePositives: a.falsePositives + b.falsePositives,
  };
}

function seenReportOf(answers: SeenAnswers | undefined): SeenReport {
  if (!answers) return { falseNegatives: null, falsePositives: null, falsePositiveRate: null, probes: null };
  const { falseNegatives, falsePositives, probes } = answers;
  const falsePositiveRate = probes === 0 ? null : round(falsePositives / probes, 6);
  return { falseNegatives, falsePositives, falsePositiveRate, probes };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function round(number: number, digits: number): number {
  return Number(number.toFixed(digits));
}
