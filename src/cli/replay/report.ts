import type { SeenAnswers, SeenAnswersByForm, SeenForm } from './ask-seen.ts';
import type { ExactCount } from './exact-count.ts';
import type { ReadBack } from './read-back.ts';
import type { SentLog } from './send-log.ts';

/** All results of a replay. */
export interface ReplayFindings {
  readonly sent: SentLog;
  readonly back: ReadBack;
  /** With `verify` only. */
  readonly exact: ExactCount | undefined;
  readonly seen: SeenAnswersByForm | undefined;
  /** Growth of Redis's memory in bytes (`settledMemory`); null if Redis does not report it. */
  readonly bytes: number | null;
  /** Number of overlaps that the client reported: two instances that serve the same sessions. */
  readonly overlaps: number;
}

/** Answers of the store about seen pages; null without `verify`. */
interface SeenReport {
  readonly falseNegatives: number | null;
  readonly falsePositives: number | null;
  /** Share of `probes`; also null without probes. */
  readonly falsePositiveRate: number | null;
  /** Unseen pages that were asked about. */
  readonly probes: number | null;
}

/** Figures of a replay, as `--json` prints them. Without `verify`, figures that need it are null. */
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
    /** By the storage form of the pages: in the record, or a filter. */
    readonly forms: Readonly<Record<SeenForm, SeenReport & { readonly sessions: number | null }>>;
  };
  /** Minutes with a view per session, summed. */
  readonly activeMinutes: { readonly exact: number | null; readonly stored: number };
  /** Growth of Redis's memory per session, in bytes (`settledMemory`); null if Redis does not report it. */
  readonly bytesPerSession: number | null;
  readonly requestsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Requests without an answer within their deadline. */
  readonly degraded: number;
  /** Lines without a request for a path. */
  readonly skippedLines: number;
}

/** Computes the figures. */
export function reportOf({ sent, back, exact, seen, bytes }: ReplayFindings): ReplayReport {
  const visits = [...back.visits.values()];
  const estimated = sum(visits.map(({ uniquePages }) => uniquePages));
  // Compares only sessions that were read back; those that have expired count on neither side.
  const counted = exact && [...back.visits.keys()].map((session) => exact.sessions.get(session)!);
  const exactPages = counted && sum(counted.map(({ pages }) => pages.size));
  const exactMinutes = counted && sum(counted.map(({ minutes }) => minutes.size));
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
