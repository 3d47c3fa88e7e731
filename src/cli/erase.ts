import type { Command } from 'commander';
import { type ErasedSubject, forgetSubject } from '../service/index.ts';
import { print } from './print.ts';
import { addSubjectOptions, archiveFor, type SubjectFlags, subjectOf } from './subject-flags.ts';
import { withNamespace } from './with-namespace.ts';

/** How each kind is called: one, and several. */
const KINDS = [
  ['sessions', 'session', 'sessions'],
  ['copies', 'copy for connect-redis', 'copies for connect-redis'],
  ['knowledge', 'key of what was known', 'keys of what was known'],
  ['waitingForArchive', 'session that waited for the archive', 'sessions that waited for the archive'],
  ['lifecycleEvents', 'lifecycle event', 'lifecycle events'],
  ['noticeEvents', 'event of notices', 'events of notices'],
  ['requests', 'waiting request', 'waiting requests'],
  ['deadLetters', 'dead letter', 'dead letters'],
  ['requestIds', 'id of a request', 'ids of requests'],
  ['archived', 'row of the archive', 'rows of the archive'],
] as const satisfies readonly (readonly [keyof ErasedSubject, string, string])[];

/** Adds `sessionwise erase`: erases everything of a user or a session, and says what it erased. */
export function addEraseCommand(program: Command): void {
  addSubjectOptions(program.command('erase').description('erase everything of a user or a session'))
    .option('--json', 'print what was erased as JSON')
    .addHelpText(
      'after',
      '\nErases session data, what is known, lifecycle events, requests and dead letters in streams, and with an archive its rows.\nDoing it again is harmless. Backups, old append-only files and SLOWLOG are not reached.',
    )
    .action(async (flags: SubjectFlags) => {
      const subject = subjectOf(flags);
      const archive = archiveFor(flags);
      try {
        const erased = await withNamespace(flags, (namespace) => forgetSubject(namespace, subject, { archive }));
        print(flags.json ? JSON.stringify(erased) : inWords(erased, flags.user !== undefined));
        if (erased.unreadable > 0) process.exitCode = 1;
      } finally {
        await archive?.close();
      }
    });
}

function inWords(erased: ErasedSubject, isUser: boolean): string {
  const found = KINDS.flatMap(([kind, one, several]) => {
    const count = erased[kind] ?? 0;
    return count === 0 ? [] : [`  ${count.toLocaleString('en')} ${count === 1 ? one : several}`];
  });
  const lines = found.length === 0 ? ['Nothing was there to erase.'] : ['Erased:', ...found];
  if (isUser && erased.sessions === 0 && erased.unreadable === 0) {
    lines.push('No session was given to this user with identify(): a login that the site keeps in a field stays.');
  }
  if (erased.archived === null) lines.push('No archive was named: if there is one, give --archive URL.');
  if (erased.unreadable > 0) {
    lines.push(
      `${erased.unreadable} sessions that may be the user's cannot be read by this version, and stay: end them with the version that made them, or give their ids with --session.`,
    );
  }
  return lines.join('\n');
}
