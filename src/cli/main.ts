#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { printable } from './printable.ts';
import { UsageError } from './usage-error.ts';

/* Exit codes: 0 success; 1 failure, with the reason in one sentence on standard error; 2 wrong command line or
 * configuration. SESSIONWISE_DEBUG=1 adds the stack trace. */

const USAGE_CODES = ['CONFIG', 'CONNECTION_OPTIONS'];

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('sessionwise')
  .description('A session store that knows what its sessions have seen.')
  .version(version)
  .showSuggestionAfterError()
  .configureOutput({ writeErr: () => {} })
  .exitOverride();

// Each loads what only it needs: loading all takes a command that prints a few lines half a second.
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  init: async () => (await import('./init.ts')).addInitCommand,
  serve: async () => (await import('./serve.ts')).addServeCommand,
  dashboard: async () => (await import('./dashboard.ts')).addDashboardCommand,
  demo: async () => (await import('./demo.ts')).addDemoCommand,
  replay: async () => (await import('./replay.ts')).addReplayCommand,
  discover: async () => (await import('./discover.ts')).addDiscoverCommand,
  rules: async () => (await import('./rules.ts')).addRulesCommand,
  notices: async () => (await import('./notices.ts')).addNoticesCommand,
  inspect: async () => (await import('./inspect.ts')).addInspectCommand,
  explain: async () => (await import('./explain.ts')).addExplainCommand,
  erase: async () => (await import('./erase.ts')).addEraseCommand,
  export: async () => (await import('./export.ts')).addExportCommand,
  doctor: async () => (await import('./doctor.ts')).addDoctorCommand,
  acl: async () => (await import('./acl.ts')).addAclCommand,
  deadletters: async () => (await import('./deadletters.ts')).addDeadLettersCommand,
};
const [, , named = ''] = process.argv;
// Without one of these names the usage lists all.
const loads = Object.hasOwn(COMMANDS, named) ? [COMMANDS[named]!] : Object.values(COMMANDS);
for (const add of await Promise.all(loads.map((load) => load()))) add(program);
for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });

try {
  if (process.argv.length <= 2) {
    process.stderr.write(`${program.helpInformation()}\n`);
    process.exitCode = 2;
  } else await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  if (process.exitCode !== 0) {
    process.stderr.write(`sessionwise: ${printable(messageOf(error))}\n`);
    if (process.env.SESSIONWISE_DEBUG) console.error(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UsageError || error instanceof RangeError) return 2;
  return USAGE_CODES.includes((error as { code?: string } | undefined)?.code ?? '') ? 2 : 1;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error.message.replace(/^error: /, '');
  return error instanceof CommanderError
    ? `${withoutValues(message).replace(/\n+/g, ' ')} (See sessionwise ${Object.hasOwn(COMMANDS, named) ? `${named} ` : ''}--help.)`
    : message;
}

/** Removes quoted arguments from a message, except names of options and commands. An argument can be a secret: a token
 *  that begins with a dash, or a URL behind a mistyped option. */
function withoutValues(message: string): string {
  return message.replace(/'([^']*)'/g, (_, typed: string) => {
    const name = /^-{0,2}[a-z][a-z-]{0,30}(?=$|=|\s)/.exec(typed)?.[0];
    return name === undefined ? '(not shown)' : `'${typed.includes('=') ? name : typed}'`;
  });
}
