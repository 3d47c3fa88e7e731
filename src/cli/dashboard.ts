import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { pino } from 'pino';
import { ROLES, type Role, serveDashboard } from '../dashboard/index.ts';
import { openNamespace } from '../service/index.ts';
import { sessionKeysOf } from './config/config.ts';
import { addNamespaceOptions, type NamespaceFlags, resolveNamespace } from './namespace-options.ts';
import { numberOption } from './number-option.ts';
import { print } from './print.ts';
import { printableFields } from './printable.ts';
import { untilStopped } from './until-stopped.ts';
import { UsageError } from './usage-error.ts';

interface DashboardFlags extends NamespaceFlags {
  readonly host: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly readOnly?: boolean;
  readonly role: string;
  readonly hostName: string[];
}

/** Adds `sessionwise dashboard`: serves the dashboard until a signal stops it. */
export function addDashboardCommand(program: Command): void {
  addNamespaceOptions(program.command('dashboard').description('serve a web page about a namespace'))
    .option('--host <address>', 'on which address; any that others reach needs a token', '127.0.0.1')
    .addOption(numberOption('--port <n>', 'where to listen; 0 takes a free port', 0, 65_535).default(3380))
    .option('--token-file <file>', 'a file with the token that browsers must give (else SESSIONWISE_DASHBOARD_TOKEN)')
    .option('--role <role>', `what who gets in may do: ${ROLES.join(', ')}`, 'operator')
    .option('--read-only', 'refuse all actions')
    .option(
      '--host-name <name>',
      'a name by which browsers call it, as that of a proxy in front (may be repeated)',
      (name, all: string[]) => [...all, name],
      [],
    )
    .addHelpText(
      'after',
      '\nWithout a token only this machine gets in. What is done and what is refused stands on standard error, as JSON lines.',
    )
    .action(async (flags: DashboardFlags) => {
      const role = roleOf(flags.role);
      const token = tokenOf(flags.tokenFile, process.env);
      const options = resolveNamespace(flags);
      // A namespace that is unknown or made with another secret is better told now than on a page.
      await (await openNamespace(options, false)).redis.close();
      const keys = sessionKeysOf(process.env);
      const { redis, namespace, secret, dataDir } = options;
      const stopping = untilStopped();
      const served = await serveDashboard({
        redis,
        ...(namespace !== undefined && { namespace }),
        ...(secret !== undefined && { secret }),
        ...(dataDir !== undefined && { dataDir }),
        ...(keys && { encryption: { keys, acceptPlain: true } }),
        ...(flags.config !== undefined && { config: flags.config }),
        host: flags.host,
        port: flags.port,
        hostNames: flags.hostName,
        ...(token !== undefined && { token }),
        role,
        ...(flags.readOnly && { readOnly: true }),
        log: pino({ base: null, formatters: { log: printableFields } }, pino.destination({ dest: 2, sync: true })),
      });
      print(`The dashboard is at ${served.url}`);
      process.send?.({ ready: true, url: served.url });
      await stopping.why;
      await served.close();
      stopping.release();
      if (process.connected) process.disconnect();
    });
}

function roleOf(given: string): Role {
  const role = ROLES.find((each) => each === given);
  if (role !== undefined) return role;
  throw new UsageError(`--role ${given} cannot be used: give ${ROLES.join(', ')}.`);
}

function tokenOf(file: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (file === undefined) return env.SESSIONWISE_DASHBOARD_TOKEN || undefined;
  try {
    const token = readFileSync(file, 'utf8').trim();
    if (token !== '') return token;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`--token-file ${file} cannot be read (${code}).`, { cause: error });
  }
  throw new UsageError(`--token-file ${file} is empty: write a token into it, 16 random characters or more.`);
}
