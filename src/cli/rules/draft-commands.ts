import type { Command } from 'commander';
import type { Draft } from '../../discover/index.ts';
import { approveDrafts, checkDraftsFile, checkRulesOf, readJsonFile, rejectDrafts } from '../../rule-files/index.ts';
import { readConfig } from '../config/index.ts';
import { printableOnOneLine } from '../printable.ts';
import { UsageError } from '../usage-error.ts';

interface DraftFlags {
  readonly drafts: string;
  readonly json?: boolean;
}

interface ApproveFlags extends DraftFlags {
  readonly rules?: string;
  readonly config?: string;
  readonly as?: string;
  readonly reason?: string;
}

type Print = (line: string) => void;

/** Adds `drafts`, `approve` and `reject` to `sessionwise rules`. */
export function addDraftCommands(rules: Command, print: Print): void {
  addDraftOptions(rules.command('drafts').description('list the drafts that wait to be approved')).action(
    (flags: DraftFlags) => {
      const { drafts } = checkDraftsFile(readJsonFile(flags.drafts), flags.drafts);
      if (flags.json) print(JSON.stringify(drafts));
      else if (drafts.length === 0)
        print(`${flags.drafts} has no drafts: sessionwise discover FILE --out ${flags.drafts}`);
      else for (const draft of drafts) for (const line of describeDraft(draft)) print(line);
    },
  );
  addDraftOptions(
    rules
      .command('approve')
      .description('move drafts into the file of rules, which a running service reads again by itself')
      .argument('<name...>', 'names of drafts'),
  )
    .option('--rules <file>', 'the file of rules (default: that of --config, else rules.json)')
    .option('--config <file>', 'the configuration of the service, which names its file of rules')
    .option('--as <name>', 'give the rule another name (of a single draft)')
    .option('--reason <text>', 'say another reason to visitors (of a single draft)')
    .action((names: string[], flags: ApproveFlags) => approve(names, flags, print));
  addDraftOptions(
    rules.command('reject').description('take drafts away for good').argument('<name...>', 'names of drafts'),
  ).action(async (names: string[], flags: DraftFlags) => {
    await rejectDrafts([...new Set(names)], flags.drafts, Date.now());
    if (flags.json) print(JSON.stringify({ rejected: names }));
    else for (const name of names) print(`Rejected ${quoted(name)}: it is not proposed again.`);
  });
}

async function approve(given: readonly string[], flags: ApproveFlags, print: Print): Promise<void> {
  const names = [...new Set(given)];
  const { as, reason, drafts: draftsFile } = flags;
  const rulesFile = rulesFileOf(flags);
  if (names.length > 1 && (as !== undefined || reason !== undefined)) {
    throw new UsageError('--as and --reason are for a single draft: approve one at a time.');
  }
  if (as !== undefined && (as === '' || as.length > 128)) {
    throw new UsageError('--as cannot be used: give a name of 1 to 128 characters.');
  }
  const approved = await approveDrafts(names, { draftsFile, rulesFile, as, reason, now: Date.now() }, (rules) =>
    checkRulesOf(rules, rulesFile),
  );
  if (flags.json) print(JSON.stringify({ approved, rules: rulesFile }));
  else {
    for (const { name, isNew } of approved) {
      print(`${isNew ? 'Approved' : 'Was there already:'} ${quoted(name)}${isNew ? ` in ${rulesFile}.` : '.'}`);
    }
  }
}

function rulesFileOf({ rules, config }: ApproveFlags): string {
  if (rules !== undefined) return rules;
  if (config === undefined) return 'rules.json';
  const named = readConfig(config).rules;
  if (named !== undefined) return named;
  throw new UsageError(`${config} names no file of rules: give it "rules", or give --rules.`);
}

function addDraftOptions(command: Command): Command {
  return command
    .option('--drafts <file>', 'the file of drafts', 'drafts.json')
    .option('--json', 'print the result as JSON');
}

function describeDraft({ name, when, suggest, reason, found }: Draft): string[] {
  const figures =
    found &&
    `${found.baskets} of ${found.of}, right in ${Math.round(100 * found.confidence)} %, ${found.lift} times as often as without it (${found.from})`;
  return [
    printableOnOneLine(name),
    `    when ${printableOnOneLine(JSON.stringify(when))}`,
    `    suggest ${printableOnOneLine(suggest)}: ${printableOnOneLine(reason ?? '')}`,
    ...(figures ? [`    ${printableOnOneLine(figures)}`] : []),
  ];
}

function quoted(name: string): string {
  return `"${printableOnOneLine(name)}"`;
}
