import type { ReplayFindings, ReplayReport } from './report.ts';
import { notesOf } from './verdict.ts';

const LABEL_WIDTH = 22;
const NUMBER_WIDTH = 11;

/** Writes the report for people. `failures`: the result of the verification; undefined without `--verify`. */
export function formatReport(
  name: string,
  report: ReplayReport,
  findings: ReplayFindings,
  failures: readonly string[] | undefined,
): string {
  const { sent, back } = findings;
  const visits = [...back.visits.values()];
  const bounced = visits.filter(({ totalPages }) => totalPages === 1).length;
  const cameBack = sent.visitors.filter((visitor) => visitor.cameBack).length;
  const share = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
  const mean = (total: number): string => (total / Math.max(1, visits.length)).toFixed(2);
  const lines = [
    `${name}: ${n(sent.requests)} requests, ${time(sent.from)} to ${time(sent.to)} UTC`,
    '',
    'What the store knows',
    row('visitors', n(visits.length), 'by address and user agent'),
    row('page views', n(report.views), `${mean(report.views)} a visitor`),
    row('different pages', n(report.uniquePages.estimated), `${mean(report.uniquePages.estimated)} a visitor`),
    row('seen again', n(sent.repeated), `${share(sent.repeated, report.views)} of the views: nothing new to them`),
    row('bounced', n(bounced), `${share(bounced, visits.length)} looked once; forgotten after 30 minutes`),
    row('came back', n(cameBack), `${share(cameBack, visits.length)} after five inactive minutes or more`),
    row('active minutes', n(report.activeMinutes.stored), `${mean(report.activeMinutes.stored)} a visitor`),
    '',
    'What it costs',
    row('memory', n(report.bytesPerSession), 'bytes of Redis a visitor'),
    row('speed', n(report.requestsPerSecond), 'requests a second'),
    row('answer', ms(report.p50Ms), `ms in the middle, ${ms(report.p99Ms)} ms for the slowest 1 %`),
    row('without an answer', n(report.degraded), 'requests'),
    row('lines skipped', n(report.skippedLines), 'no request for a path'),
    ...(failures ? verification(report, failures) : []),
    ...notesOf(findings).map((note) => `\nNote: ${note}`),
  ];
  return `${lines.join('\n')}\n`;
}

function verification(
  { requests, views, uniquePages, seen, activeMinutes }: ReplayReport,
  failures: readonly string[],
) {
  const rate = (of: number | null): string => (of === null ? 'none asked' : `${(100 * of).toFixed(3)} %`);
  const { exact, filter } = seen.forms;
  return [
    '',
    'Counted exactly beside it',
    row('views', n(views), `of ${n(requests)}`),
    row('different pages', n(uniquePages.estimated), `of ${n(uniquePages.exact)}: ${uniquePages.errorPercent} % off`),
    row('active minutes', n(activeMinutes.stored), `of ${n(activeMinutes.exact)}`),
    row('false "unseen"', n(seen.falseNegatives), 'pages'),
    row('false "seen"', n(seen.falsePositives), `of ${n(seen.probes)} unseen pages: ${rate(seen.falsePositiveRate)}`),
    row(
      '  exact',
      n(exact.falsePositives),
      `of ${n(exact.probes)} in ${n(exact.sessions)} visitors: ${rate(exact.falsePositiveRate)}`,
    ),
    row(
      '  filters',
      n(filter.falsePositives),
      `of ${n(filter.probes)} in ${n(filter.sessions)} visitors: ${rate(filter.falsePositiveRate)}`,
    ),
    '',
    failures.length === 0 ? 'verified: the store is as exact as promised.' : 'not verified',
  ];
}

function row(label: string, number: string, rest: string): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${number.padStart(NUMBER_WIDTH)}  ${rest}`;
}

function n(number: number | null): string {
  return number === null ? 'unknown' : number.toLocaleString('en-US');
}

function ms(number: number | null): string {
  return number === null ? 'unknown' : number.toFixed(2);
}

function time(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ');
}
