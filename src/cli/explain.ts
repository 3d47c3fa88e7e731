import type { Command } from 'commander';
import type { ExplainedSuggestions, Explanation } from '../protocol/index.ts';
import { checkGroupName, checkItem } from '../protocol/internal/index.ts';
import { type CheckedRules, describeOutcome } from '../rules/index.ts';
import type { Namespace } from '../service/index.ts';
import { explainSubject, ServedRules } from '../service/internal/index.ts';
import { readConfig, rulesOf } from './config/index.ts';
import { type Inspected, inspectedOf } from './inspected.ts';
import { addNamespaceOptions, type NamespaceFlags } from './namespace-options.ts';
import { print } from './print.ts';
import { printableOnOneLine } from './printable.ts';
import { UsageError } from './usage-error.ts';
import { withNamespace } from './with-namespace.ts';

interface ExplainFlags extends NamespaceFlags {
  readonly user?: string;
  readonly rule?: string;
  readonly group: string[];
  readonly here?: string;
  readonly json?: boolean;
}

/** Explanations, as `--json` prints them. */
interface Explained extends ExplainedSuggestions {
  /** One of the two. */
  readonly session?: string;
  readonly user?: string;
  readonly known: boolean;
}

/** Adds `sessionwise explain`: says of rules why they suggest something to a session or a person, or do not. */
export function addExplainCommand(program: Command): void {
  addNamespaceOptions(
    program
      .command('explain')
      .description('say why rules suggest something to a session or a user, or do not')
      .argument('[session]', 'the public id of a session (never a token)'),
  )
    .option('--user <id>', 'the id of a user, as the site gives it to identify(), in place of a session')
    .option('--rule <name>', 'only this rule (default: all)')
    .option(
      '--group <group>',
      'a group to which the visitor belongs (may be repeated)',
      (group, all: string[]) => [...all, group],
      [],
    )
    .option('--here <page>', 'the page that is being rendered, which counts as viewed')
    .option('--json', 'print it as JSON')
    .action(async (session: string | undefined, flags: ExplainFlags) => {
      const inspected = inspectedOf(session, flags.user);
      const rules = rulesOfFlags(flags);
      const explained = await withNamespace(flags, (namespace) => explainFor(namespace, inspected, rules, flags));
      print(flags.json ? JSON.stringify(explained) : inWords(explained));
    });
}

function rulesOfFlags({ config, rule }: ExplainFlags): CheckedRules {
  if (config === undefined) throw new UsageError('explain needs the rules: give --config FILE, as the service has it.');
  const rules = rulesOf(readConfig(config));
  if (rule === undefined || rules.suggestions.some(({ name }) => name === rule)) return rules;
  const known = rules.suggestions.map(({ name }) => name);
  throw new UsageError(
    `--rule ${rule}: there is no such rule in ${config}${known.length === 0 ? '' : `; known are ${known.slice(0, 20).join(', ')}`}.`,
  );
}

async function explainFor(
  { knowledge }: Namespace,
  { id, ...inspected }: Inspected,
  rules: CheckedRules,
  { rule, group, here }: ExplainFlags,
): Promise<Explained> {
  const served = new ServedRules(rules, knowledge.items);
  const subject = knowledge.read(id);
  const asked = served.compiled.suggestionsNamed(rule);
  const page = here === undefined ? undefined : inFlag(() => checkItem(here));
  const groups = inFlag(() => group.map((each) => checkGroupName(each)));
  return {
    ...inspected,
    known: await subject.isKnown(),
    ...(await explainSubject(served, asked, subject, knowledge.now(), { groups, here: page })),
  };
}

function inFlag<Value>(check: () => Value): Value {
  try {
    return check();
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function inWords({ session, user, known, suggestions, rules, segments }: Explained): string {
  const whom = user === undefined ? `Session ${session}` : `User ${printableOnOneLine(user)}`;
  const lines = [known ? whom : `${whom}: nothing is known. This is what a stranger is suggested.`];
  if (rules.length === 0) lines.push('There are no suggestions in the rules.');
  for (const rule of rules) {
    const made = suggestions.find((suggestion) => suggestion.rule === rule.rule);
    lines.push('', `${rule.rule}: ${describeOutcome(rule, made?.because)}`, ...linesOf(rule.explanation, 1));
  }
  for (const [name, explanation] of Object.entries(segments)) {
    lines.push('', `segment ${name}: ${explanation.holds ? 'holds' : 'does not hold'}`, ...linesOf(explanation, 1));
  }
  return lines.map(printableOnOneLine).join('\n');
}

function linesOf({ holds, text, all, any, not }: Explanation, depth: number): string[] {
  const parts = [...(all ?? any ?? []), ...(not ? [not] : [])];
  return [
    `${'  '.repeat(depth)}${holds ? 'yes' : 'no '}  ${text}`,
    ...parts.flatMap((part) => linesOf(part, depth + 1)),
  ];
}
