import type { Command } from 'commander';
import { type DeadLetter, DeadLetters } from '../transport/streams/dead-letters.ts';
import { addNamespaceOptions, type NamespaceFlags } from './namespace-options.ts';
import { print } from './print.ts';
import { UsageError } from './usage-error.ts';
import { withNamespace } from './with-namespace.ts';

interface ListFlags extends NamespaceFlags {
  readonly limit: string;
  readonly json?: boolean;
}

interface ActFlags extends NamespaceFlags {
  readonly all?: boolean;
}

const SHOWN_PAYLOAD = 60;

/** `sessionwise deadletters list|retry|drop`: requests over streams that were given up. */
export function addDeadLettersCommand(program: Command): void {
  const group = program
    .command('deadletters')
    .description('requests over streams that were given up')
    .argument('[action]', 'list, retry or drop')
    .action((action: string | undefined) => {
      const what = action === undefined ? 'What is to be done is missing' : `${action} is none`;
      throw new UsageError(`${what}: give deadletters list, retry or drop.`);
    });
  addNamespaceOptions(group.command('list').description('show them, the newest first'))
    .option('--limit <n>', 'how many at most', '100')
    .option('--json', 'print them as JSON, one a line')
    .action(async (flags: ListFlags) => {
      const limit = Number(flags.limit);
      if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
        throw new UsageError(`--limit ${flags.limit} cannot be used: give a whole number from 1 to 10,000.`);
      }
      const { letters, count } = await withLetters(flags, async (all) => ({
        letters: await all.list(limit),
        count: await all.count(),
      }));
      for (const letter of letters) print(flags.json ? JSON.stringify(letter) : inWords(letter));
      if (flags.json) return;
      if (count === 0) print('There are no dead letters.');
      else if (count > letters.length) print(`${count - letters.length} more: give a larger --limit.`);
    });
  addAction(group, 'retry', 'have them done again, at the end of their streams', 'Put back', (all, id) =>
    all.retry(id),
  );
  addAction(group, 'drop', 'forget them', 'Dropped', (all, id) => all.drop(id));
  for (const command of group.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
}

function addAction(
  group: Command,
  name: string,
  description: string,
  done: string,
  act: (all: DeadLetters, id: string) => Promise<void>,
): void {
  addNamespaceOptions(
    group.command(name).description(description).argument('[id...]', 'ids, as `deadletters list` shows them'),
  )
    .option('--all', 'all that there are now')
    .action(async (ids: string[], flags: ActFlags) => {
      if (ids.length > 0 === (flags.all === true)) throw new UsageError('Give the ids of dead letters, or --all.');
      const count = await withLetters(flags, async (all) => {
        if (flags.all) return all.each((id) => act(all, id));
        for (const id of ids) await act(all, id);
        return ids.length;
      });
      print(`${done} ${count}.`);
    });
}

function withLetters<Result>(flags: NamespaceFlags, work: (letters: DeadLetters) => Promise<Result>): Promise<Result> {
  return withNamespace(flags, false, ({ redis, keys, seal }) => work(new DeadLetters(redis, keys, seal)));
}

function inWords({ id, at, command, session, payload, reason }: DeadLetter): string {
  const shown =
    payload === undefined
      ? '(sealed with another secret)'
      : JSON.stringify(payload.length > SHOWN_PAYLOAD ? `${payload.slice(0, SHOWN_PAYLOAD)}...` : payload);
  return `${id}  ${new Date(at).toISOString()}  ${command || '(no command)'} ${session} ${shown}\n    ${reason}`;
}
