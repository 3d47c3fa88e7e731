import type { Command } from 'commander';
import { print } from './print.ts';
import { addCountsCommand } from './rules/counts-command.ts';
import { addDraftCommands } from './rules/draft-commands.ts';
import { addTestCommand } from './rules/test-command.ts';
import { UsageError } from './usage-error.ts';

const ACTIONS = 'counts, drafts, approve, reject or test';

/** Adds `sessionwise rules counts|drafts|approve|reject|test`. */
export function addRulesCommand(program: Command): void {
  const rules = program
    .command('rules')
    .description('count what rules do, approve drafts of rules, and try rules on an access log')
    .argument('[action]', ACTIONS)
    .action((action: string | undefined) => {
      const fault = action === undefined ? 'The action is missing' : `The action ${action} is unknown`;
      throw new UsageError(`${fault}: give rules ${ACTIONS}.`);
    });
  addCountsCommand(rules, print);
  addDraftCommands(rules, print);
  addTestCommand(rules, print);
  for (const command of rules.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
}
