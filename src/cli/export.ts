import type { Command } from 'commander';
import { exportSubject } from '../service/index.ts';
import { sessionKeysOf } from './config/config.ts';
import { checkConfig, readConfig } from './config/index.ts';
import { resolveNamespace } from './namespace-options.ts';
import { print } from './print.ts';
import { addSubjectOptions, archiveFor, type SubjectFlags, subjectOf } from './subject-flags.ts';
import { withNamespace } from './with-namespace.ts';

interface ExportFlags extends SubjectFlags {
  readonly seen: string[];
}

/** Adds `sessionwise export`: prints everything that can be told of a user or a session, as JSON. */
export function addExportCommand(program: Command): void {
  addSubjectOptions(program.command('export').description('tell everything of a user or a session, as JSON'))
    .option(
      '--seen <item>',
      'also tell whether this page or item was seen (may be repeated)',
      (item, all: string[]) => [...all, item],
      [],
    )
    .addHelpText('after', '\nSESSIONWISE_SESSION_KEYS: keys of encrypted sessions.')
    .action(async (flags: ExportFlags) => {
      const subject = subjectOf(flags);
      const archive = archiveFor(flags);
      const encryption = encryptionOf(flags);
      try {
        const exported = await withNamespace(flags, (namespace) =>
          exportSubject(namespace, subject, { archive, candidates: flags.seen, encryption }),
        );
        print(JSON.stringify({ subject, exportedAt: new Date().toISOString(), ...exported }, null, 2));
        if (exported.unreadable.length > 0) process.exitCode = 1;
      } finally {
        await archive?.close();
      }
    });
}

function encryptionOf(
  flags: ExportFlags,
): { keys: readonly (string | Uint8Array)[]; acceptPlain?: boolean } | undefined {
  const config = flags.config === undefined ? checkConfig({}) : readConfig(flags.config);
  const keys = sessionKeysOf(process.env);
  if (keys) return { keys, ...(config.sessions?.acceptPlain && { acceptPlain: true }) };
  return resolveNamespace(flags).sessions?.encryption;
}
