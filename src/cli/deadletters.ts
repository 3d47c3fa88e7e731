import type { Command } from 'commander';
import { type DeadLetter, DeadLetters } from '../transport/service/index.ts';
import { addNamespaceOptions, type NamespaceFlags } from './namespace-options.ts';
import { print } from './print.ts';
import { printableOnOneLine } from './printable.ts';
import { UsageError } from './usage-error.ts';
import { withNamespace } from './with-namespace.ts';

interface ListFlags extends NamespaceFlags {
  readonly limit: string;
  readonly json?: boolean;
  readonly payloads?: boolean;
}

interface ActFlags extends NamespaceFlags {
  readonly all?: boolean;
}

/** Adds `sessionwise deadletters list|retry|drop`: the requests over streams that failed and left their stream. */
export function addDeadLettersCommand(program: Command): void {
  const group = program
    .command('deadletters')
    .description('list, retry or drop dead letters: requests over streams that failed for good')
    .argument('[action]', 'list, retry or drop')
    .action((action: string | undefined) => {
      const fault = action === undefined ? 'The action is missing' : `The action ${action} is unknown`;
      throw new UsageError(`${fault}: give deadletters list, retry or drop.`);
    });
  addNamespaceOptions(group.command('list').description('show them, the newest first'))
    .option('--limit <n>', 'how many at most', '100')
    .option('--json', 'print them as JSON, one a line')
    .option('--payloads', 'show their payloads, which tell the pages that a visitor looked at')
    .action(async (flags: ListFlags) => {
      const limit = Number(flags.limit);
      if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
        throw new UsageError(`--limit ${flags.limit} cannot be used: give a whole number from 1 to 10,000.`);
      }
      const { letters, count } = await withLetters(flags, async (all) => ({
        letters: await all.list(limit),
        count: await all.count(),
      }));
      for (const letter of letters) {
        const { payload, ...rest } = letter;
        const shown = flags.payloads ? { ...rest, payload } : rest;
        print(flags.json ? JSON.stringify(shown) : inWords(shown));
      }
      if (flags.json) return;
      if (count === 0) print('There are no dead letters.');
      else if (count > letters.length) print(`${count - letters.length} more: give a larger --limit.`);
    });
  addAction(group, 'retry', 'have them done again, at the end of their streams', {
    one: (letters, id) => letters.retry(id),
    all: async (letters) => {
      const { retried, skipped } = await letters.retryAll();
      const left = skipped === 0 ? '' : ` ${skipped} hold no request and were left: \`deadletters drop\` forgets them.`;
      return `Put back ${retried}.${left}`;
    },
    done: (count) => `Put back ${count}.`,
  });
  addAction(group, 'drop', 'forget them', {
    one: (letters, id) => letters.drop(id),
    all: async (letters) => `Dropped ${await letters.dropAll()}.`,
    done: (count) => `Dropped ${count}.`,
  });
  for (const command of group.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
}

interface Action {
  readonly one: (letters: DeadLetters, id: string) => Promise<void>;
  /** Acts on all dead letters. Returns the result as a sentence. */
  readonly all: (letters: DeadLetters) => Promise<string>;
  readonly done: (count: number) => string;
}

function addAction(group: Command, name: string, description: string, { one, all, done }: Action): void {
  addNamespaceOptions(
    group.command(name).description(description).argument('[id...]', 'ids, as `deadletters list` shows them'),
  )
    .option('--all', 'all that there are now')
    .action(async (ids: string[], flags: ActFlags) => {
      if (ids.length > 0 === (flags.all === true))
        throw new UsageError('Give the ids of dead letters, or --all, not both.');
      const words = await withLetters(flags, async (letters) => {
        if (flags.all) return all(letters);
        for (const id of ids) await one(letters, id);
        return done(ids.length);
      });
      print(words);
    });
}

function withLetters<Result>(flags: NamespaceFlags, work: (letters: DeadLetters) => Promise<Result>): Promise<Result> {
  return withNamespace(flags, ({ redis, keys, seal }) => work(new DeadLetters(redis, keys, seal)));
}

function inWords(letter: Omit<DeadLetter, 'payload'> & { readonly payload?: string | undefined }): string {
  const { id, at, command, session, payload, bytes, reason } = letter;
  const size = bytes === undefined ? '(no payload)' : `(${bytes} bytes)`;
  const shown = payload === undefined ? size : JSON.stringify(payload);
  const what = command === '' ? '(no command)' : `${command} ${session}`;
  return `${id}  ${new Date(at).toISOString()}  ${printableOnOneLine(`${what} ${shown}`)}\n    ${printableOnOneLine(reason)}`;
}
