import type { Command } from 'commander';
import { normalizeItem } from '../protocol/index.ts';
import { addNamespaceOptions, type NamespaceFlags } from './namespace-options.ts';
import { print } from './print.ts';
import { UsageError } from './usage-error.ts';
import { withNamespace } from './with-namespace.ts';

interface NotifyFlags extends NamespaceFlags {
  readonly id: string;
  readonly text: string;
  readonly data?: string;
  readonly json?: boolean;
}

const MAX_TEXT = 4096;

/** Adds `sessionwise notify`: publishes one notice to a group. It is stored once, however large the group is. */
export function addNotifyCommand(program: Command): void {
  addNamespaceOptions(
    program.command('notify').description('publish a notice to a group').argument('<group>', 'the group'),
  )
    .requiredOption('--id <id>', 'the id by which it is marked as read; the same id again changes nothing')
    .requiredOption('--text <text>', 'the text of the notice')
    .option('--data <json>', 'further fields for the page, as a JSON object')
    .option('--json', 'print the result as JSON')
    .action(async (group: string, flags: NotifyFlags) => {
      const { id, text } = flags;
      if (text.length > MAX_TEXT)
        throw new UsageError(`--text is ${text.length} characters long: give at most ${MAX_TEXT}.`);
      const notice = { id: checkId(id), text, ...(flags.data !== undefined && { data: parseData(flags.data) }) };
      const result = await withNamespace(flags, false, ({ knowledge }) => knowledge.noticeLists.publish(group, notice));
      if (flags.json) print(JSON.stringify({ ...result, id }));
      else if (result.isNew) print(`Published "${id}" to the group ${group}: unread for all its sessions.`);
      else print(`The group ${group} has "${id}" already: nothing changed.`);
    });
}

function checkId(id: string): string {
  try {
    return normalizeItem(id);
  } catch (error) {
    throw new UsageError(`--id: ${(error as Error).message}`, { cause: error });
  }
}

function parseData(json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // Refused below, with the message for values of other types.
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new UsageError('--data is no JSON object: write for instance {"link":"/sale"}.');
}
