import type { Command } from 'commander';
import { type PostgresArchive, postgresArchive } from '../archive/index.ts';
import { isPerson, isSession, sessionOf } from '../protocol/index.ts';
import { tokenIn } from '../protocol/internal/index.ts';
import type { Subject } from '../service/index.ts';
import { archiveOf } from './config/config.ts';
import { checkConfig, readConfig } from './config/index.ts';
import { addNamespaceOptions, type NamespaceFlags } from './namespace-options.ts';
import { UsageError } from './usage-error.ts';

/** The flags that name a subject, and where else it may stand. */
export interface SubjectFlags extends NamespaceFlags {
  readonly user?: string;
  readonly session?: string;
  readonly archive?: string;
  readonly json?: boolean;
}

/** Adds `--user`, `--session` and `--archive` to a command, and what selects the namespace. */
export function addSubjectOptions(command: Command): Command {
  return addNamespaceOptions(command)
    .option('--user <id>', 'the id of a user, as the site gives it to identify()')
    .option('--session <id>', 'the public id of a session (never a token)')
    .option('--archive <url>', 'the PostgreSQL archive (else SESSIONWISE_ARCHIVE_POSTGRES, or the configuration)');
}

/** Reads the subject off the flags.
 *  @throws UsageError that does not show what could be a token. */
export function subjectOf({ user, session }: SubjectFlags): Subject {
  if ((user === undefined) === (session === undefined)) {
    throw new UsageError('Give --user ID or --session ID, and not both.');
  }
  if (user !== undefined) return { user };
  const token = tokenIn(session!);
  if (token !== undefined) {
    throw new UsageError(
      `This is a token, or a cookie with one, and no session id: it is a secret, and stands in your shell's history now. Its session is ${sessionOf(token)}; give that.`,
    );
  }
  if (isPerson(session!)) {
    throw new UsageError('This is the id of a person, whose data are named by the user id: give --user ID.');
  }
  if (isSession(session!)) return { session: session! };
  throw new UsageError('This is no session id: give 1 to 128 of A-Z, a-z, 0-9, _ and -.');
}

/** Opens the archive that the flags, the environment or the configuration name; undefined where none does.
 *  @throws UsageError, ConfigError */
export function archiveFor(flags: SubjectFlags): PostgresArchive | undefined {
  const config = flags.config === undefined ? checkConfig({}) : readConfig(flags.config);
  if (flags.archive === undefined) return archiveOf(config, process.env);
  if (!/^postgres(ql)?:\/\//.test(flags.archive)) {
    throw new UsageError('--archive is no address: give postgres://user:password@host:port/database.');
  }
  const { table, schema } = config.archive ?? {};
  return postgresArchive({ connectionString: flags.archive, table, schema });
}
