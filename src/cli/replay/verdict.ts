import type { ReplayFindings, ReplayReport } from './report.ts';

/* verdict.ts: the checks of --verify. The README promises the same limits. */

const MAX_FALSE_POSITIVE_RATE = 0.01;
const MAX_UNIQUE_ERROR_PERCENT = 3;
/** Default limit of memory per visitor, on average; docs/commands.md and `--help` name it. It applies only if some visitors
 *  have no filter: with filters alone (`exactLimit: 0`) a single page costs most of it, so no limit is promised. */
const MAX_BYTES_PER_SESSION = 1024;
/** With fewer visitors memory is not judged: the fixed memory of Redis (tables, scripts, a histogram per command: 30 to
 *  50 KB) would weigh too much. */
const MIN_SESSIONS_FOR_MEMORY = 1_000;

/** Limits of a verification. */
export interface Demands {
  /** Whether sessions must use seen filters from the first page on. */
  readonly mustFilter: boolean;
  /** Limit of memory per session on average, in bytes. Default 1,024; none if all sessions use filters. */
  readonly maxBytes?: number | undefined;
}

/** Lists the broken promises, a clause each; empty if there are none. */
export function failuresOf(
  report: ReplayReport,
  { sent, back, exact, seen, overlaps }: ReplayFindings,
  { mustFilter, maxBytes }: Demands,
): string[] {
  if (!exact || !seen) return ['nothing was counted beside it'];
  const failures: string[] = [];
  const views = [...back.visits.keys()].reduce((sum, session) => sum + exact.sessions.get(session)!.views, 0);
  const { uniquePages, activeMinutes, bytesPerSession } = report;
  const { falseNegatives, forms } = report.seen;
  const rates = [report.seen, forms.exact, forms.filter].map(({ falsePositiveRate }) => falsePositiveRate ?? 0);
  const mostBytes = maxBytes ?? (forms.exact.sessions === 0 ? Number.POSITIVE_INFINITY : MAX_BYTES_PER_SESSION);
  const demand = (holds: boolean, failure: string): void => void (holds || failures.push(failure));

  demand(sent.degraded === 0, `${n(sent.degraded)} views got no answer within their deadline`);
  demand(
    sent.knownBefore === 0,
    `${n(sent.knownBefore)} visitors were known before this replay: use a --namespace that has nothing of this log`,
  );
  demand(overlaps === 0, 'two instances serve the same sessions: their views count twice');
  demand(report.views === views, `views are not exact: ${n(views)} in the log, ${n(report.views)} in the store`);
  demand(
    sent.miscounted === 0 || sent.knownBefore > 0,
    `${n(sent.miscounted)} answers told another number of views than the visitor had at that time`,
  );
  demand(falseNegatives === 0, `${n(falseNegatives)} pages were called unseen although they had been visited`);
  demand(
    rates.every((rate) => rate <= MAX_FALSE_POSITIVE_RATE),
    `${percent(Math.max(...rates))} of unseen pages were called seen; 1 % is allowed`,
  );
  demand(
    !mustFilter || forms.filter.sessions! > 0,
    'no session keeps its pages in a filter, although the exact limit is 0',
  );
  demand(
    uniquePages.errorPercent !== null && uniquePages.errorPercent <= MAX_UNIQUE_ERROR_PERCENT,
    `unique pages are off by ${uniquePages.errorPercent} % (${n(uniquePages.exact)} exact, ${n(uniquePages.estimated)} stored); 3 % is allowed`,
  );
  demand(
    activeMinutes.exact === activeMinutes.stored,
    `active minutes are not exact: ${n(activeMinutes.exact)} in the log, ${n(activeMinutes.stored)} in the store`,
  );
  demand(bytesPerSession !== null, 'memory could not be measured: Redis does not answer INFO memory');
  demand(
    report.sessions < MIN_SESSIONS_FOR_MEMORY || bytesPerSession === null || bytesPerSession <= mostBytes,
    `a session costs ${n(bytesPerSession)} bytes on average; ${n(mostBytes)} are allowed (--max-bytes)`,
  );
  return failures;
}

/** Lists remarks on the figures, a sentence each. */
export function notesOf({ sent, back, seen }: ReplayFindings): string[] {
  const notes: string[] = [];
  if (sent.outOfOrder > 0) {
    notes.push(
      `${n(sent.outOfOrder)} requests stand in the log after a later one of the same visitor; they were sent in the log's order.`,
    );
  }
  if (back.expired > 0) {
    notes.push(
      `${visitors(back.expired)} with one view expired during the replay, as they must: these figures leave them out.`,
    );
  }
  if (seen && sent.visitors.length < MIN_SESSIONS_FOR_MEMORY) {
    notes.push(
      `Memory is judged from ${n(MIN_SESSIONS_FOR_MEMORY)} visitors up: among fewer, what Redis needs anyway weighs too much.`,
    );
  }
  if (seen && seen.exact.sessions === 0) {
    notes.push('All visitors are kept in filters: what they may cost, --max-bytes says.');
  }
  return notes;
}

function visitors(number: number): string {
  return number === 1 ? '1 visitor' : `${n(number)} visitors`;
}

function n(number: number | null): string {
  return number === null ? 'unknown' : number.toLocaleString('en-US');
}

function percent(rate: number): string {
  return `${(100 * rate).toFixed(2)} %`;
}
