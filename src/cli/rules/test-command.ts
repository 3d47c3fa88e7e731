import type { Command } from 'commander';
import { DiscoverError, MemoryBudget } from '../../discover/index.ts';
import { isObject } from '../../protocol/internal/index.ts';
import { checkDraftsFile, checkRulesOf, RulesFileError, readJsonFile, readRules } from '../../rule-files/index.ts';
import { type CheckedRules, describeCondition } from '../../rules/index.ts';
import { isDocumentRequest } from '../discover/document-request.ts';
import { numberOption } from '../number-option.ts';
import { printableOnOneLine } from '../printable.ts';
import { parseLogLine } from '../replay/log-line.ts';
import { openLog } from '../replay/read-log.ts';
import { isInLog, RuleTrial, type TrialReport, type TriedRule } from './rule-trial.ts';

interface TestFlags {
  readonly replay: string;
  readonly allRequests?: boolean;
  readonly maxMemory: number;
  readonly json?: boolean;
}

type Print = (line: string) => void;

const MIB = 1024 * 1024;

/** Adds `sessionwise rules test`. */
export function addTestCommand(rules: Command, print: Print): void {
  rules
    .command('test')
    .description('say how often each rule would have held in an access log, and what was missing where it did not')
    .argument('<file>', 'a file of rules, or of drafts')
    .requiredOption('--replay <log>', 'an Apache or nginx access log, plain or gzip; - for standard input')
    .option('--all-requests', 'count robots, files that pages load and failed requests too')
    .addOption(numberOption('--max-memory <MiB>', 'the most memory for visitors', 16, 65_536).default(512))
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nRules are evaluated before each view. A log knows no events, marked items, groups and persons; how often a\n' +
        'suggestion may be shown is left out.',
    )
    .action((file: string, flags: TestFlags) => testRules(file, flags, print));
}

async function testRules(file: string, flags: TestFlags, print: Print): Promise<void> {
  const rules = readTestedRules(file);
  const { report, others, skipped, name } = await replay(rules, flags);
  if (report.views === 0) {
    throw new DiscoverError(
      'NO_BASKETS',
      `${name} holds no views of pages: ${skipped} lines are no requests, ${others} requests are no views by persons (--all-requests).`,
    );
  }
  if (flags.json) {
    print(JSON.stringify({ log: name, otherRequests: others, skippedLines: skipped, ...report }));
    return;
  }
  print(`${file} on ${name}: ${many(report.visitors, 'visitor')}, ${many(report.views, 'view')}.`);
  for (const rule of report.rules) for (const line of describeRule(rule, report, rules)) print(line);
  if (report.segments.length > 0) print('');
  for (const segment of report.segments) {
    print(`Segment ${printableOnOneLine(segment.name)}: ${share(segment.visitors, report.visitors)}.`);
  }
}

function readTestedRules(file: string): CheckedRules {
  const value = readJsonFile(file);
  if (value === undefined) throw new RulesFileError('RULES_FILE', `${file} cannot be read: there is no such file.`);
  if (!isObject(value) || !('drafts' in value)) return readRules(file);
  const { drafts } = checkDraftsFile(value, file);
  return checkRulesOf({ suggestions: drafts.map(({ found: _, ...rule }) => rule) }, file);
}

interface Replayed {
  readonly name: string;
  readonly report: TrialReport;
  /** Requests that are no views by persons, and lines without a request. */
  readonly others: number;
  readonly skipped: number;
}

async function replay(rules: CheckedRules, { replay: file, allRequests, maxMemory }: TestFlags): Promise<Replayed> {
  const trial = new RuleTrial(rules, new MemoryBudget(maxMemory * MIB));
  const log = await openLog(file);
  let others = 0;
  let skipped = 0;
  try {
    for await (const line of log.lines) {
      const request = line === undefined ? undefined : parseLogLine(line);
      if (!request) skipped += 1;
      else if (!allRequests && !isDocumentRequest(request)) others += 1;
      else trial.view(`${request.ip}\0${request.userAgent}`, request.path, request.at);
    }
  } finally {
    log.close();
  }
  return { name: log.name, report: trial.finish(), others, skipped };
}

function describeRule(rule: TriedRule, { visitors }: TrialReport, { segments }: CheckedRules): string[] {
  const lines = ['', printableOnOneLine(rule.name)];
  lines.push(`    Holds for ${share(rule.visitors, visitors)}, at ${many(rule.views, 'view')}.`);
  const without = visitors - rule.visitors;
  if (without > 0) lines.push(`    Of the other ${n(without)}, when they came closest:`);
  for (const { condition, missing, missingAlone } of rule.conditions) {
    if (missing === 0) continue;
    const words = printableOnOneLine(describeCondition(condition));
    const unknown = isInLog(condition, (name) => segments[name]) ? '' : ' (a log does not know it)';
    lines.push(`      ${n(missing)} lacked ${words}${unknown}; nothing else: ${n(missingAlone)}`);
  }
  return lines;
}

function share(count: number, all: number): string {
  return `${many(count, 'visitor')} (${((100 * count) / all).toFixed(1)} %)`;
}

function many(count: number, one: string): string {
  return `${n(count)} ${one}${count === 1 ? '' : 's'}`;
}

function n(count: number): string {
  return count.toLocaleString('en-US');
}
