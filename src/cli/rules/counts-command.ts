import type { Command } from 'commander';
import type { RuleMarks, SegmentSubjects } from '../../knowledge/index.ts';
import type { CheckedRules } from '../../rules/index.ts';
import { readConfig, rulesOf } from '../config/index.ts';
import { addNamespaceOptions, type NamespaceFlags } from '../namespace-options.ts';
import { printableOnOneLine } from '../printable.ts';
import { UsageError } from '../usage-error.ts';
import { withNamespace } from '../with-namespace.ts';

interface CountsFlags extends NamespaceFlags {
  readonly json?: boolean;
}

/** Counts, as `--json` prints them. */
interface Counts {
  readonly suggestions: readonly ({ readonly rule: string } & RuleMarks)[];
  readonly segments: readonly ({ readonly segment: string } & SegmentSubjects)[];
}

/** Adds `sessionwise rules counts`. */
export function addCountsCommand(rules: Command, print: (line: string) => void): void {
  addNamespaceOptions(
    rules
      .command('counts')
      .description(
        'say how often each suggestion fired, was shown, taken and dismissed, and how many were in each segment',
      ),
  )
    .option('--json', 'print one JSON object')
    .action(async (flags: CountsFlags) => {
      if (flags.config === undefined) {
        throw new UsageError('rules counts needs the rules: give --config FILE, as the service has it.');
      }
      const configured = rulesOf(readConfig(flags.config));
      const counts = await withNamespace(flags, ({ knowledge }) => readCounts(configured, knowledge.ruleCounts));
      print(flags.json ? JSON.stringify(counts) : inWords(counts));
    });
}

async function readCounts(
  { suggestions, segments }: CheckedRules,
  counts: { marks(rules: string[]): Promise<RuleMarks[]>; segments(names: string[]): Promise<SegmentSubjects[]> },
): Promise<Counts> {
  const rules = suggestions.map(({ name }) => name);
  const names = Object.keys(segments);
  const [marks, subjects] = await Promise.all([counts.marks(rules), counts.segments(names)]);
  return {
    suggestions: rules.map((rule, i) => ({ rule, ...marks[i]! })),
    segments: names.map((segment, i) => ({ segment, ...subjects[i]! })),
  };
}

function inWords({ suggestions, segments }: Counts): string {
  const lines = suggestions.map(
    ({ rule, fired, shown, taken, dismissed }) =>
      `${printableOnOneLine(rule)}: fired ${n(fired)}, shown ${n(shown)}, taken ${n(taken)}, dismissed ${n(dismissed)}`,
  );
  for (const { segment, today, yesterday } of segments) {
    lines.push(`segment ${printableOnOneLine(segment)}: about ${n(today)} today, ${n(yesterday)} yesterday (UTC)`);
  }
  return lines.length === 0 ? 'There are no suggestions and no segments in the rules.' : lines.join('\n');
}

function n(count: number): string {
  return count.toLocaleString('en-US');
}
